"""One file per platform, the same sections in the same order in all of them; see docs/adding-a-connector.md."""
