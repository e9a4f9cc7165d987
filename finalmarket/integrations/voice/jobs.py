"""Codes are mailed by the worker, and forgotten."""

from finalmarket.integrations.voice import codes, links
from finalmarket.kernel.jobs import job


@job("voice.mail_code", attempts=3, is_urgent=True)
def mail_code(code: int) -> None:
    """Mail a code to whoever links an account."""
    codes.mail_code(code)


@job("voice.tidy", cron="17 3 * * *")
def tidy() -> None:
    """Forget codes that are over."""
    codes.tidy()
    links.tidy()
