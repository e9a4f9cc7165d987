"""Bringing one's own data in and out: files of products, prices, stock, customers, listings and orders."""
