"""The demo: a merchant that never was, with a year of orders on nine channels.

`fill.fill(seed=..., scale=..., now=...)` writes all of it in one transaction. What is random is drawn from generators
seeded by `seed` and the name of the part (`chance`), so that one part can change without changing the others. The
catalogue, the places and the names are in `data/`.
"""
