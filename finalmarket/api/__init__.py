"""The door for machines: what platforms call."""
