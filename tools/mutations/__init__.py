"""How many single mistakes in good files cfgc finds: drawn by operators with a recorded seed, never chosen."""
