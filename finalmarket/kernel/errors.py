"""The errors that are meant for a person."""


class UserError(Exception):
    """A mistake that the reader of the message can put right.

    The message is one sentence or two: what is wrong, where, and what to do. The command line prints it in one line
    and leaves with code 2; no traceback is shown.
    """


def sentence(words: str) -> str:
    """Return what an error says as a sentence of its own, where it does not stand behind other words.

    A plain first word gets its capital; the name of a file or an item ("prices.csv", "tea-1") stays as it is.
    """
    words = words.strip() or "It cannot be done."
    first, space, rest = words.partition(" ")
    if first.rstrip(",:;").isalpha():
        first = first[0].upper() + first[1:]
    return f"{first}{space}{rest}" + ("" if words.endswith((".", "!", "?")) else ".")


class DatabaseAway(UserError):
    """The database cannot be reached, or has no connection to spare. What was asked may be asked again."""
