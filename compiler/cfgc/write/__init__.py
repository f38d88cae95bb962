"""The write phase: a bundle reaches the disk whole or not at all."""
