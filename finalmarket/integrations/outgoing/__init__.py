"""Webhooks of our own: noted by the database (notice.sql), prepared (announce.py), sent (deliver.py), and never to an
inside address (guard.py)."""
