"""The console's own pages: what operators work on every day."""
