"""The doors for machines: what platforms, trackers and programs call. Their models are in the rooms below."""
