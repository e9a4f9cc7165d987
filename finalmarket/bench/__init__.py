"""Measurements: each runs in a scratch database of its own and reports medians beside a baseline of the same run."""
