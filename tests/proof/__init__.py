"""`make proof`: the laws at length and every figure, written down in docs/proof.md and docs/proof.json.

What is run stands in steps.py, and nothing else has to be read to know it.
"""
