"""The web console: what operators see."""
