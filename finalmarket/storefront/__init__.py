"""Shops of our own: pages, an installable app and a kiosk, which do what they do by the shopper's API."""
