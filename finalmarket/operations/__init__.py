"""What those need who run the house: whether it is well, what it is doing, and how it comes back after a loss."""
