"""What is looked at before the first step, each a small function; everything found is said at once."""
