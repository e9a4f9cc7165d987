"""Where lines of the log go."""

import copy
import logging
import sys


class Lines(logging.StreamHandler):  # type: ignore[type-arg]  # which stream it is, is not of interest here
    """Lines on the error stream. Of a line that cannot be written it says so and why, and no more: logging's own words
    would show the arguments and every exception on the way, and with them people's data and secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """What is written. A request that was refused says so in one line, without the way through the code."""
        if record.name == "django.request" and record.levelno < logging.ERROR:
            record = copy.copy(record)
            record.exc_info = record.exc_text = None
        return super().format(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say which line was lost."""
        kind = sys.exc_info()[0]
        why = kind.__name__ if kind else "no reason is known"
        where = f"{record.name}, {record.filename}:{record.lineno}"
        try:
            sys.stderr.write(f"a line of the log could not be written ({why}): {where}\n")
        except (OSError, ValueError):  # there is nowhere left to say it
            return
