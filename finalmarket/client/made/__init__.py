"""What `make client` writes."""
