"""Sales channels and their listings: where goods are offered, and what platforms have yet to be told."""
