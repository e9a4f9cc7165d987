"""What operators are told, who has read it, and the mails that tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class Notice(models.Model):
    """Something that an operator should know, open as long as it is so. `about` names a record: variant:12."""

    class Urgency(models.TextChoices):
        URGENT = "urgent", "Urgent"
        NORMAL = "normal", "When you look"

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=150, help_text="What it is about, for one open notice each")
    urgency = models.CharField(max_length=6, choices=Urgency)
    title = models.CharField(max_length=200)
    text = models.CharField(max_length=1000)
    about = models.CharField(max_length=60, blank=True, default="")
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notices"
        ordering: ClassVar = ["-opened_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "key"], name="notices_one_open", condition=Q(closed_at=None))
        ]
        indexes: ClassVar = [
            models.Index(fields=["-opened_at", "-id"], name="notices_open", condition=Q(closed_at=None)),
            models.Index(fields=["-opened_at", "-id"], name="notices_newest"),
        ]

    def __str__(self) -> str:
        return self.title


class NoticeReading(models.Model):
    """That a user has read a notice."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="readings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        db_table = "notice_readings"
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "notice"], name="notice_readings_once")]

    def __str__(self) -> str:
        return f"user {self.user_id} read notice {self.notice_id}"


class NoticeWish(models.Model):
    """What a user wants to hear of one kind of notices; without a wish, what is urgent at once and the rest daily."""

    class Mail(models.TextChoices):
        USUAL = "usual", "Urgent ones at once, the rest once a day"
        AT_ONCE = "at_once", "Each at once"
        DIGEST = "digest", "Once a day"
        NEVER = "never", "No mail"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=40)
    mail = models.CharField(max_length=7, choices=Mail, default=Mail.USUAL)
    is_muted = models.BooleanField(default=False, help_text="Neither counted as unread nor told by mail")

    class Meta:
        db_table = "notice_wishes"
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "kind"], name="notice_wishes_once")]

    def __str__(self) -> str:
        return f"user {self.user_id}, {self.kind}: {self.mail}"


class NoticeMail(models.Model):
    """One mail to one user: it exists once for what it tells (`key`), and is tried until it is sent or given up."""

    class State(models.TextChoices):
        DUE = "due", "Waits"
        SENT = "sent", "Sent"
        GIVEN_UP = "given_up", "Given up"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=60)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    state = models.CharField(max_length=8, choices=State, default=State.DUE)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True, default="")

    lines: RelatedManager[NoticeMailLine]

    class Meta:
        db_table = "notice_mails"
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "key"], name="notice_mails_once")]
        indexes: ClassVar = [models.Index(fields=["next_try_at"], name="notice_mails_due", condition=Q(state="due"))]

    def __str__(self) -> str:
        return f"{self.subject} to {self.address}"


class NoticeMailLine(models.Model):
    """That a mail tells a user of a notice; no notice is told twice to one user."""

    mail = models.ForeignKey(NoticeMail, on_delete=models.CASCADE, related_name="lines")
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="mail_lines")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        db_table = "notice_mail_lines"
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "notice"], name="notice_mail_lines_once")]

    def __str__(self) -> str:
        return f"notice {self.notice_id} to user {self.user_id}"
