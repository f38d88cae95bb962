"""The parts of a ds_config, each as items."""
