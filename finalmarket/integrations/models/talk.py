"""What mails say in a merchant's own words, and which wished goods could not be bought."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.models.account import ChannelIntegration


class MailText(models.Model):
    """Own words for one kind of mail that an account sends, in place of ours: a template of the platform's by its name
    there, or a subject and a text. `language` is the first part of a customer's language (de, en, ...); "" stands for
    every language that has no words of its own here."""

    class Purpose(models.TextChoices):
        ORDER_CONFIRMED = "order_confirmed", "Order confirmed"
        SHIPPED = "shipped", "Parcel left"
        BACK_IN_STOCK = "back_in_stock", "Back in stock"

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="mail_texts")
    purpose = models.CharField(max_length=16, choices=Purpose)
    language = models.CharField(max_length=12, blank=True, default="", help_text="Such as de; empty: every other one")
    template = models.CharField(max_length=200, blank=True, default="", help_text="The platform's name of a template")
    subject = models.CharField(max_length=300, blank=True, default="")
    text = models.TextField(blank=True, default="", help_text="Names in braces are filled in, such as {number}")
    html = models.TextField(blank=True, default="", help_text="Empty: the text alone is sent")

    class Meta:
        db_table = "mail_texts"
        ordering: ClassVar = ["integration", "purpose", "language"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "purpose", "language"], name="mail_texts_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.language}".strip()

    def clean(self) -> None:
        """Refuse words without a subject or a text, and names in braces that nothing is filled in for."""
        from finalmarket.integrations.talk.mail_words import NAMES, names_in

        self.language = self.language.strip().lower()
        if not self.template and not (self.subject.strip() and self.text.strip()):
            raise ValidationError("Name a template of the platform, or write a subject and a text.")
        known = NAMES.get(self.purpose, ())
        unknown = sorted(names_in(self.subject, self.text, self.html) - set(known))
        if unknown:
            raise ValidationError(f"Nothing is filled in for {', '.join(unknown)}; there is {', '.join(known)}.")


class WishedStock(models.Model):
    """Whether a variant that somebody wished for can be bought on a channel: `out_since` when it cannot, `back_at` when
    it last could again after it could not. Looked at every minute while a mail may come of it."""

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+")
    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="+")
    out_since = models.DateTimeField(null=True, blank=True)
    back_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField()

    class Meta:
        db_table = "wished_stock"
        verbose_name_plural = "wished stock"
        constraints: ClassVar = [models.UniqueConstraint(fields=["variant", "sales_channel"], name="wished_stock_once")]
        indexes: ClassVar = [
            models.Index(fields=["back_at"], name="wished_stock_back", condition=models.Q(out_since=None)),
            models.Index(fields=["looked_at"], name="wished_stock_age"),
        ]

    def __str__(self) -> str:
        return f"{self.variant_id} on {self.sales_channel_id}"
