"""What a person may ask of whoever keeps their data: to see all of it, and to be rid of it."""
