"""Other shop systems beside ours on the same machine, in the same run: `make peers` (docs/peers.md)."""
