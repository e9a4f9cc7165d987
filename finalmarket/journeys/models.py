"""What customers do, and the journeys it adds up to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.facts import RECOGNISED
from finalmarket.journeys.record import InteractionManager, JourneyManager, JourneyVerbs
from finalmarket.journeys.storage import StoredOnce
from finalmarket.journeys.tracking import EventName, SetAsideEvent, WriteKey
from finalmarket.orders.models import Order

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

__all__ = [
    "ChannelInteraction", "CrossChannelJourney", "EventName", "JourneyMark", "JourneyTouchpoint",
    "SetAsideEvent", "WriteKey",
]  # fmt: skip


class CrossChannelJourney(JourneyVerbs, models.Model):
    """What one customer wants, from the first touch to its outcome, across channels."""

    class Intent(models.TextChoices):
        BROWSE = "browse", "Browse"
        RESEARCH = "research", "Research"
        PURCHASE = "purchase", "Purchase"
        SUPPORT = "support", "Support"
        RETURN = "return", "Return"
        REVIEW = "review", "Review"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        COMPLETED = "completed", "Completed"
        ABANDONED = "abandoned", "Abandoned"

    customer = models.ForeignKey(OmnichannelCustomer, on_delete=models.PROTECT, related_name="journeys")
    start_channel = models.ForeignKey(SalesChannel, on_delete=models.PROTECT, related_name="journeys_started")
    intent = models.CharField(max_length=8, choices=Intent)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    outcome = models.CharField(max_length=50, blank=True, default="")
    order = models.ForeignKey(Order, null=True, blank=True, on_delete=models.SET_NULL, related_name="journeys")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    is_recognised = models.BooleanField(default=False, help_text="Found in what the person did, not started by a call")
    reason = models.CharField(max_length=200, blank=True, default="", help_text="Why it has this intent")
    step = models.CharField(max_length=18, blank=True, default="", help_text="The furthest step that was reached")
    visits = models.PositiveIntegerField(default=0)
    score = models.IntegerField(default=0, help_text="Sum of the value scores of its interactions")
    value = models.DecimalField(
        max_digits=16, decimal_places=4, null=True, blank=True, help_text="The order's goods after discount"
    )
    currency = models.CharField(max_length=3, blank=True, default="")
    last_touch_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True, help_text="Nothing joins it after this moment")

    objects: ClassVar[JourneyManager] = JourneyManager()
    touchpoints: RelatedManager[JourneyTouchpoint]

    class Meta:
        db_table = "cross_channel_journeys"
        ordering: ClassVar = ["-started_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["customer", "-started_at"], name="journeys_customer"),
            models.Index(fields=["state", "intent", "-started_at"], name="journeys_state"),
            models.Index(fields=["-started_at", "-id"], name="journeys_newest"),
            models.Index(fields=["closes_at"], name="journeys_to_sweep", condition=Q(state="open", is_recognised=True)),
        ]
        constraints: ClassVar = [
            # The number of a recognised journey follows from its first interaction; see journeys/facts.py.
            models.CheckConstraint(
                condition=Q(is_recognised=True, id__gte=RECOGNISED) | Q(is_recognised=False, id__lt=RECOGNISED),
                name="journeys_numbered",
            )
        ]

    def __str__(self) -> str:
        return f"{self.intent} journey {self.pk}"

    @property
    def duration(self) -> timedelta | None:
        """How long the journey took, or None while it is open."""
        return self.ended_at - self.started_at if self.ended_at else None


class ChannelInteraction(StoredOnce, models.Model):
    """One thing a customer did on a channel. Its table lies in partitions by month, each message is told once (see
    journeys/storage.py)."""

    class InteractionType(models.TextChoices):
        PAGE_VIEW = "page_view", "Page view"
        PRODUCT_VIEW = "product_view", "Product view"
        SEARCH = "search", "Search"
        ADD_TO_CART = "add_to_cart", "Put in the cart"
        REMOVE_FROM_CART = "remove_from_cart", "Taken out of the cart"
        CHECKOUT_START = "checkout_start", "Checkout started"
        CHECKOUT_COMPLETE = "checkout_complete", "Checkout completed"
        CART_ABANDONMENT = "cart_abandonment", "Cart abandoned"
        WISHLIST_ADD = "wishlist_add", "Put on the wishlist"
        REVIEW_SUBMIT = "review_submit", "Review sent"
        CUSTOMER_SERVICE = "customer_service", "Customer service"
        EMAIL_OPEN = "email_open", "E-mail opened"
        EMAIL_CLICK = "email_click", "E-mail clicked"
        SOCIAL_ENGAGEMENT = "social_engagement", "Social engagement"
        STORE_VISIT = "store_visit", "Store visit"
        PHONE_CALL = "phone_call", "Phone call"

    customer = models.ForeignKey(
        OmnichannelCustomer, on_delete=models.PROTECT, related_name="interactions", db_constraint=False, db_index=False
    )
    sales_channel = models.ForeignKey(
        SalesChannel, on_delete=models.PROTECT, related_name="interactions", db_constraint=False, db_index=False
    )
    journey = models.ForeignKey(
        CrossChannelJourney, null=True, blank=True, on_delete=models.SET_NULL, related_name="interactions",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    interaction_type = models.CharField(max_length=18, choices=InteractionType)
    value_score = models.SmallIntegerField(default=0)
    context: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    message_id = models.CharField(max_length=100, blank=True, default="")
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[InteractionManager] = InteractionManager()

    class Meta:
        db_table = "channel_interactions"
        ordering: ClassVar = ["-occurred_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["customer", "-occurred_at"], name="interactions_customer"),
            models.Index(fields=["sales_channel", "-occurred_at"], name="interactions_channel"),
            models.Index(fields=["journey"], name="interactions_journey", condition=~Q(journey=None)),
        ]

    def __str__(self) -> str:
        return f"{self.interaction_type} on {self.sales_channel}"


class JourneyTouchpoint(models.Model):
    """One step of a journey, in order."""

    journey = models.ForeignKey(CrossChannelJourney, on_delete=models.CASCADE, related_name="touchpoints")
    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.PROTECT, related_name="touchpoints")
    interaction = models.OneToOneField(
        ChannelInteraction, null=True, blank=True, on_delete=models.SET_NULL, related_name="touchpoint",
        db_constraint=False,
    )  # fmt: skip
    action = models.CharField(max_length=50)
    data = models.JSONField(default=dict, blank=True)
    occurred_at = models.DateTimeField()
    visit = models.PositiveIntegerField(default=0, help_text="Number of the visit within the journey")
    switched_from = models.ForeignKey(
        SalesChannel, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False,
        help_text="The channel of the step before, where it was another one",
    )  # fmt: skip

    class Meta:
        db_table = "journey_touchpoints"
        ordering: ClassVar = ["occurred_at", "id"]
        indexes: ClassVar = [
            models.Index(  # all that paths and funnels read of a step, in the order in which they read it
                fields=["journey", "occurred_at", "id"],
                include=["sales_channel", "action"],
                name="touchpoints_in_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.action} on {self.sales_channel}"


class JourneyMark(models.Model):
    """A person's profile whose journeys are to be told anew, from `since` on.

    Whoever writes an interaction, an order, a return or a merge marks in its own SQL (see journeys/marks.py):
    `since` is the least moment that was marked, `version` counts the marks, so that a mark set while its person is
    being told anew is not lost. No constraint of the database: ingest marks thousands of rows at once.
    """

    customer = models.OneToOneField(
        OmnichannelCustomer, primary_key=True, db_constraint=False, on_delete=models.CASCADE, related_name="+"
    )
    since = models.DateTimeField()
    version = models.BigIntegerField(default=1)

    class Meta:
        db_table = "journey_marks"

    def __str__(self) -> str:
        return f"customer {self.customer_id} from {self.since:%Y-%m-%d %H:%M}"


class JourneyChange(models.Model):
    """A change that a journey may depend on, noted by triggers on orders, returns and merges (see changes.sql).

    Rows are only added there, so that no order ever waits for another one of the same person; the worker makes marks
    of them.
    """

    customer_id = models.BigIntegerField()
    since = models.DateTimeField()

    class Meta:
        db_table = "journey_changes"

    def __str__(self) -> str:
        return f"customer {self.customer_id} from {self.since:%Y-%m-%d %H:%M}"
