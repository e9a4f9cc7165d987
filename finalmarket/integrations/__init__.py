"""Connections to outside platforms."""
