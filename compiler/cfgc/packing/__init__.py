"""``[package]``: the user's own code goes into the bundle, as an archive of the same bytes wherever it is made."""
