"""Daily figures of every channel."""
