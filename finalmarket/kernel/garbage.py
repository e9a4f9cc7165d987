"""How a process that serves looks for garbage in circles: seldom, and not among what is there to stay.

Python's own rule has it go through all that lives, again and again, while many wait to be answered: 150 ms at a time
with 1,000 callers at the stock desk, a quarter of the time that the ingest takes.
"""

import gc

OBJECTS_A_COLLECTION = 25_000
"""Python looks for circles after so many new objects; by its own rule after 700."""


def keep_what_is_there() -> None:
    """Take what is there now as what stays to the end, and look through what comes after it seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_A_COLLECTION, 20, 50)
