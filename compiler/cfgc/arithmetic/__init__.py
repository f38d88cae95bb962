"""The arithmetic that rules and lowering share: small pure functions over plain numbers."""
