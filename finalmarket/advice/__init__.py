"""What to do next: for a customer, with which goods, and why."""
