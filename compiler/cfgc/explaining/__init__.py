"""A spec in words: a key and how its value came to be, and the overlays that there are."""
