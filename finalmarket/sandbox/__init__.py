"""The outside world on one machine: stand-ins of the platforms, served over HTTP. Imports no other room.

Each stand-in holds listings, stock, orders, customers and tokens, enforces the platform's limits and headers, signs and
sends webhooks, can be told to misbehave (faults.py) and writes down what really happened (world.Journal).
"""
