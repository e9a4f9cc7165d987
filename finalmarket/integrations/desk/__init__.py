"""What a person buys or begins at a platform for one order, and what comes of it: labels for parcels, where parcels
are, payments on the platform's own page, disputes."""
