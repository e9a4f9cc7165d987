"""The lake: history as Parquet files by day, and the questions about it, asked of DuckDB or of Spark.

`export` writes what changed since the last export; `layout` says how the files lie; `questions` holds every question
once, as an Ibis expression; `engine` is who computes the answer. See docs/analytics.md and docs/scaling.md.
"""
