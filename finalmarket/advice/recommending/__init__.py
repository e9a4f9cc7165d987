"""Which goods to show to whom: what goes with what they bought and looked at, and what sells best for all others."""
