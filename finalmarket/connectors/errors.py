"""What can go wrong with a platform, named by what the caller must do about it.

Texts are scrubbed before they get here (`http.Http` does it): no error carries a secret.
"""

from __future__ import annotations

MOST_LETTERS = 500
NOT_ASKED = "not_asked"
"""The code of a wait of our own: the platform was not even asked, so nothing is said of how it does."""
ONE_RECORD = "one_record"
"""The code of a wait of one record: the platform answered, and what it said holds for no other record."""


class ConnectorError(Exception):
    """Something a platform did or said. `code` is its own word for it, `status` the HTTP status, where there is one."""

    def __init__(self, reason: str, *, code: str = "", status: int | None = None) -> None:
        super().__init__(reason[:MOST_LETTERS])
        self.reason = reason[:MOST_LETTERS]
        self.code = code[:100]
        self.status = status


class RetryLater(ConnectorError):
    """Nothing happened; the same may be asked again, after `retry_after` seconds where the platform said so."""

    def __init__(
        self, reason: str, *, retry_after: float | None = None, code: str = "", status: int | None = None
    ) -> None:
        super().__init__(reason, code=code, status=status)
        self.retry_after = retry_after


class NeedsAttention(ConnectorError):
    """The credentials or rights do not suffice: the integration pauses and a person is asked."""


class Rejected(ConnectorError):
    """The platform does not take this very record: set it aside and go on. `key` is the record's `ListingRef.key`, or
    the key of the notice, so that a batch can say which of its records it was."""

    def __init__(self, reason: str, *, key: str = "", code: str = "", status: int | None = None) -> None:
        super().__init__(reason, code=code, status=status)
        self.key = key


class OutcomeUnknown(ConnectorError):
    """A write may have happened or not: find out by asking, never repeat it blindly."""


class Unintelligible(ConnectorError):
    """The reply is not what the platform's description says."""


class NotSupported(ConnectorError):
    """This platform cannot do that; raised before anything is sent."""


class WebhookRefused(ConnectorError):
    """The delivery is not proved to come from the platform. Nothing of it is looked at."""
