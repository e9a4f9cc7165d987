"""Interactions, journeys and their touchpoints."""
