"""What was advised for whom, what came of it, and the policy that learns from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer

if TYPE_CHECKING:
    from decimal import Decimal


class NextAction(models.Model):
    """One decision: the action that was chosen for a person, out of which, with which probability, and what came of it.

    A person has one open decision at a time. It is settled when its window is over; from then on it is what is learned
    from. `probabilities` are those of all actions that were eligible; `context` are the figures that the policy saw.
    """

    class Answer(models.TextChoices):
        NONE = "", "Nobody answered"
        ACCEPTED = "accepted", "Accepted"
        DISMISSED = "dismissed", "Dismissed"

    class Outcome(models.TextChoices):
        OPEN = "", "Still open"
        ORDER = "order", "An order"
        REPLY = "reply", "A reply"
        UNSUBSCRIBED = "unsubscribed", "They unsubscribed"
        NOTHING = "nothing", "Nothing"

    customer = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="next_actions")
    action = models.CharField(max_length=20)
    sales_channel = models.ForeignKey(SalesChannel, null=True, on_delete=models.SET_NULL, related_name="+")
    variant = models.ForeignKey(Variant, null=True, on_delete=models.SET_NULL, related_name="+")
    policy = models.CharField(max_length=10, help_text="rules, or learned")
    policy_version = models.PositiveIntegerField(default=0)
    by_rule = models.CharField(max_length=20, default="no_action", help_text="What the rules alone would have chosen")
    is_trial = models.BooleanField(default=False, help_text="Chosen by chance, to learn from it")
    propensity = models.FloatField(help_text="Probability with which it was chosen")
    probabilities: models.JSONField[Any, Any] = models.JSONField(default=dict)
    context: models.JSONField[Any, Any] = models.JSONField(default=list)
    reasons: models.JSONField[Any, Any] = models.JSONField(default=list)
    expected_value: models.DecimalField[Decimal | None, Decimal | None] = models.DecimalField(
        max_digits=16, decimal_places=4, null=True
    )
    currency = models.CharField(max_length=3, blank=True, default="")
    decided_at = models.DateTimeField()
    closes_at = models.DateTimeField(help_text="What happens later is not put down to it")
    answer = models.CharField(max_length=9, choices=Answer, blank=True, default="")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=100, blank=True, default="")
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True, default="")
    reward = models.FloatField(null=True)
    settled_at = models.DateTimeField(null=True)
    learned_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "next_actions"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer"], name="next_actions_one_open", condition=Q(settled_at__isnull=True)
            ),
            models.CheckConstraint(condition=Q(propensity__gt=0, propensity__lte=1), name="next_actions_propensity"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["customer", "-decided_at"], name="next_actions_customer"),
            models.Index(fields=["closes_at"], name="next_actions_to_settle", condition=Q(settled_at__isnull=True)),
            models.Index(fields=["settled_at", "id"], name="next_actions_settled"),
        ]

    def __str__(self) -> str:
        return f"{self.action} for customer {self.customer_id}"


class ActionPolicy(models.Model):
    """The policy that learns: one row. It decides only while it is trusted; until then the rules do."""

    version = models.PositiveIntegerField(default=0, help_text="Counted up whenever it learned")
    state: models.JSONField[Any, Any] = models.JSONField(default=dict)
    learned_rows = models.PositiveIntegerField(default=0)
    is_trusted = models.BooleanField(default=False)
    verdict = models.CharField(max_length=500, blank=True, default="", help_text="Why it is trusted, or not")
    figures: models.JSONField[Any, Any] = models.JSONField(default=dict)
    evaluated_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "action_policies"
        verbose_name_plural = "action policies"

    def __str__(self) -> str:
        return f"version {self.version}, {'trusted' if self.is_trusted else 'not trusted'}"


class GoodsAffinity(models.Model):
    """How much one variant goes with another: `place` 1 goes best with it, `together` persons touched both."""

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+", db_index=False)
    other = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+")
    place = models.PositiveSmallIntegerField()
    score = models.FloatField()
    together = models.PositiveIntegerField()

    class Meta:
        db_table = "goods_affinities"
        verbose_name_plural = "goods affinities"
        constraints: ClassVar = [models.UniqueConstraint(fields=["variant", "place"], name="goods_affinities_place")]

    def __str__(self) -> str:
        return f"{self.other_id} goes with {self.variant_id}"


class BestSeller(models.Model):
    """How well a variant sells on a channel now: buyers, each counted the less the longer ago they bought."""

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="+", db_index=False)
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+")
    place = models.PositiveSmallIntegerField()
    score = models.FloatField()

    class Meta:
        db_table = "best_sellers"
        constraints: ClassVar = [models.UniqueConstraint(fields=["sales_channel", "place"], name="best_sellers_place")]

    def __str__(self) -> str:
        return f"place {self.place} on channel {self.sales_channel_id}"


class AdviceRefresh(models.Model):
    """When recommendations were last computed, and from how much: one row."""

    at = models.DateTimeField(db_default=Now())
    touches = models.PositiveIntegerField(default=0)
    pairs = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "advice_refreshes"

    def __str__(self) -> str:
        return f"{self.pairs} pairs of {self.touches} touches"
