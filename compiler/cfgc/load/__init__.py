"""Load: reads TOML with spans, follows extends and overlays, detects cycles."""
