"""Customers: one profile per person, the identities it is known by, preferences and consents."""
