"""Mutation testing of the pure parts of stock, money and signatures: `make mutants`.

mutmut changes one thing at a time in these modules (which ones, and by which tests they are judged, says
`[tool.mutmut]` in pyproject.toml), and a test has to go red. What no test can ever notice, because it changes nothing
that anybody could see, stands in equivalent.toml with the reason.
"""
