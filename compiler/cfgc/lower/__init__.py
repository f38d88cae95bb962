"""Lower: all arithmetic; a checked spec becomes a plan in which every number is final."""
