"""Networks, and what they are trained to lower."""
