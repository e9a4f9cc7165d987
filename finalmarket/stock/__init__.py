"""Stock: one truth about what is on hand, held, promised and free, kept by an append-only ledger."""
