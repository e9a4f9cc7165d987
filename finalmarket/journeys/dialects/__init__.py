"""The languages of clients: one file each, pure functions from its words to ours."""
