"""What platforms that keep books are told: orders and customers as they stand, stock that moved, what customers do."""
