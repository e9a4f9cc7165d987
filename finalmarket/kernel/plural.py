"""Numbers with the words that go with them."""


def plural(count: int, one: str, many: str = "") -> str:
    """Return the count with the words for one or for many (the same with an s, unless said otherwise): `1 order waits`,
    `1,200 orders wait`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
