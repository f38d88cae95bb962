"""Where metrics go besides metrics.jsonl. A tracker is opened, fed and closed in a thread of its own."""
