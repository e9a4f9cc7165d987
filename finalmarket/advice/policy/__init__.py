"""Choosing among actions, learning from what came of it, and saying whether a way of choosing is better: plain numbers,
no database."""
