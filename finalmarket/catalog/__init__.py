"""Products and their variants (the SKUs): what is sold, at which price, made of what."""
