"""What the house knows of outside platforms: one contract, and one file per platform. No database, no domain."""
