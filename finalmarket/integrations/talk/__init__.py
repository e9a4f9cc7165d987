"""What is said with people: mails out, what became of them in, conversations in, tickets out and their notes."""
