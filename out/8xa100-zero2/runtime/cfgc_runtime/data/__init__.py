"""Where samples come from, and which one goes where."""
