"""Notices by mail: urgent ones at once, the rest once a day, each notice once to each user.

A mail is written down together with what it tells (unique for user and notice) before anything is sent, and it is sent
under a lock, so that two workers never send it both. What the mail server refuses is tried again, ever later. Only a
worker that is killed between the server's yes and our commit sends again, under the same Message-ID, by which mailboxes
know it for the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from email.utils import parseaddr

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.core.mail import EmailMessage, get_connection
from django.db import connection, transaction

from finalmarket.advice.models import Notice, NoticeMail, NoticeMailLine, NoticeWish
from finalmarket.advice.notices import NORMAL, URGENT, heard_kinds
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.plural import plural

LOCK = 7_240_521  # one writer of mails at a time
MOST_LINES = 50
MOST_ATTEMPTS = 10
LONGEST_WAIT = timedelta(hours=6)
PUBLIC_URL = "FINALMARKET_PUBLIC_URL"
Mail = NoticeWish.Mail


def can_mail() -> bool:
    """Whether the operator of this house has named a mail server (FINALMARKET_MAIL_HOST)."""
    return bool(settings.MAIL_IS_SET)


def write_urgent() -> int:
    """Write the mails about what cannot wait; return how many. None while no mail server is named."""
    return _write_all("at_once")


def write_digests() -> int:
    """Write the daily mails about what was not told yet and is so still; return how many."""
    return _write_all("digest")


def deliver() -> tuple[int, int]:
    """Send what is due; return how many were sent and how many failed. Nothing while no mail server is named."""
    sent = failed = 0
    if not can_mail():
        return sent, failed
    while (outcome := _deliver_next()) is not None:
        sent, failed = sent + outcome, failed + (not outcome)
    return sent, failed


def _write_all(how: str) -> int:
    if not can_mail():
        return 0
    users = get_user_model().objects.filter(is_active=True, is_staff=True).exclude(email="").order_by("pk")
    return sum(_write(user, how) for user in users)


@transaction.atomic
def _write(user: AbstractUser, how: str) -> bool:
    """Write one user's mail, if there is something to tell; what a kind's wish does not want is left out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    wishes = dict(NoticeWish.objects.filter(user_id=user.pk).values_list("kind", "mail"))
    told = NoticeMailLine.objects.filter(user_id=user.pk).values("notice_id")
    waiting = Notice.objects.filter(closed_at=None, kind__in=heard_kinds(user)).exclude(pk__in=told)
    chosen = [one for one in waiting.order_by("urgency", "opened_at", "pk") if _is_wanted(one, wishes, how)]
    chosen.sort(key=lambda one: one.urgency != URGENT)
    if not chosen:
        return False
    now = clock.now()
    key = f"digest:{now:%Y-%m-%d}" if how == "digest" else f"notices:{chosen[0].pk}-{chosen[-1].pk}-{len(chosen)}"
    mail, is_new = NoticeMail.objects.get_or_create(
        user_id=user.pk, key=key,
        defaults={"address": user.email, "subject": _subject(chosen, how), "body": _body(chosen), "next_try_at": now},
    )  # fmt: skip
    if is_new:
        NoticeMailLine.objects.bulk_create([NoticeMailLine(mail=mail, notice=one, user_id=user.pk) for one in chosen])
    return is_new


def _is_wanted(notice: Notice, wishes: dict[str, str], how: str) -> bool:
    mail = wishes.get(notice.kind, Mail.USUAL)
    if mail == Mail.NEVER:
        return False
    if how == "digest":
        return True  # also what should have been told at once and was not
    return mail == Mail.AT_ONCE or (mail == Mail.USUAL and notice.urgency != NORMAL)


def _subject(chosen: Sequence[Notice], how: str) -> str:
    name = settings.EMAIL_SUBJECT_PREFIX
    if how == "digest":
        return f"{name}{plural(len(chosen), 'notice')} of today"
    first = " ".join(chosen[0].title.split())
    return f"{name}{first}"[:180] + (f" and {len(chosen) - 1} more" if len(chosen) > 1 else "")


def _body(chosen: Sequence[Notice]) -> str:
    parts = [f"{one.title}\n{one.text}" for one in chosen[:MOST_LINES]]
    if len(chosen) > MOST_LINES:
        parts.append(f"... and {len(chosen) - MOST_LINES} more.")
    public = os.environ.get(PUBLIC_URL, "").strip().rstrip("/")
    parts.append(f"All of them, and what you want to hear of: {f'{public}/notices/' if public else 'Notices'}")
    return "\n\n".join(parts) + "\n"


@transaction.atomic
def _deliver_next() -> bool | None:
    """Send the next due mail; whether it was sent, None when none is due."""
    now = clock.now()
    due = NoticeMail.objects.filter(state=NoticeMail.State.DUE, next_try_at__lte=now).order_by("next_try_at", "pk")
    mail = due.select_for_update(skip_locked=True).first()
    if mail is None:
        return None
    try:
        _send(mail)
    except Exception as error:  # whatever a mail server, a network or a malformed address can come up with
        _put_off(mail, error)
        return False
    failpoints.hit("notices.after_send")
    mail.state, mail.sent_at, mail.last_error = NoticeMail.State.SENT, now, ""
    mail.attempts += 1
    mail.save(update_fields=["state", "sent_at", "last_error", "attempts"])
    return True


def _put_off(mail: NoticeMail, error: Exception) -> None:
    mail.attempts += 1
    mail.last_error = f"{type(error).__name__}: {error}"[:300]
    mail.next_try_at = clock.now() + min(timedelta(minutes=2**mail.attempts), LONGEST_WAIT)
    if mail.attempts >= MOST_ATTEMPTS:
        mail.state = NoticeMail.State.GIVEN_UP
    mail.save(update_fields=["state", "attempts", "last_error", "next_try_at"])


def _send(mail: NoticeMail) -> None:
    sender = settings.DEFAULT_FROM_EMAIL
    host = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    message = EmailMessage(
        mail.subject, mail.body, sender, [mail.address],
        headers={"Message-ID": f"<notice-{mail.pk}@{host}>", "Auto-Submitted": "auto-generated"},
        connection=get_connection(),
    )  # fmt: skip
    if not message.send():
        raise ConnectionError("the mail server took no mail")
