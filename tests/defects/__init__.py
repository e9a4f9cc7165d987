"""Defects that are planted in copies of the checkout, one by one, and each of them turns a test red that is named
beforehand: a proof that the proofs can fail. `make proof-defects` plants them all; the defects stand in *.toml."""
