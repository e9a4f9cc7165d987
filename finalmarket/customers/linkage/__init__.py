"""Who may be one person although no value says so: scored suggestions by record linkage, for a person to decide.

`records.py` says what is compared, `weights.py` what agreement and difference count, `training.py` learns that from
the merchant's own customers, `scoring.py` scores pairs, `guard.py` keeps pairs from becoming chains, `words.py` says
why, and `suggesting.py` puts it all before a person. Nothing here merges. It needs the extra `finalmarket[linkage]`
(Splink, with DuckDB inside), which is imported only where it is used.
"""
