"""Wake-up calls of the chat; the truth is in the rows."""

from finalmarket.integrations.chat import answering
from finalmarket.kernel.jobs import job


@job("chat.answer", is_urgent=True)
def answer(integration: int) -> None:
    """Answer what waits at an account."""
    answering.answer(integration)


@job("chat.look", cron="* * * * *")
def look() -> None:
    """Wake the accounts at which an answer is due still."""
    for pk in answering.waiting():
        answering.wake(pk)


@job("chat.tidy", cron="23 3 * * *")
def tidy() -> None:
    """Forget what is a month old."""
    answering.tidy()
