"""What DeepSpeed, Triton and torch.compile build on a node: kept there, and built once for all of its ranks."""
