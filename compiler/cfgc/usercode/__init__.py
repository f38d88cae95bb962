"""The user's own code that a spec names: which calls there are, and what its sources say of them."""
