"""From the configs of other tools to a spec: each reader yields items, and one writer makes TOML of them."""
