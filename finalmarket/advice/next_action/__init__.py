"""What to do next for whom: what is known, what may be done, what is chosen, what came of it, what is learned."""
