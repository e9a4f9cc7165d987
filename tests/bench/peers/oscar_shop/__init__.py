"""A shop of django-oscar with its own defaults. Runs in the peers' own environment."""
