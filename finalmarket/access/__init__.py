"""Access: the keys of programs that call us, what each asked already, and what it did."""
