"""Platforms with items and counts of their own: which item is which variant, and whose number of a place counts."""
