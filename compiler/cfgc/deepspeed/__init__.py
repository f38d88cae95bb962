"""What is known of DeepSpeed, release by release, and what that says of a ds_config."""
