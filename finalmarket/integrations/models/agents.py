"""Shopping agents: the door by which assistants buy on a channel, and what they have in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.models.account import ChannelIntegration
from finalmarket.integrations.models.outgoing import WebhookEndpoint
from finalmarket.orders.models import Cart

if TYPE_CHECKING:
    from finalmarket.orders.models import Order


class AgentDoor(models.Model):
    """How agents buy on a channel: by whom their payments are charged, what their requests are signed with (nothing:
    their key alone lets them in), where they hear of orders, and the pages that they show buyers."""

    sales_channel = models.OneToOneField(SalesChannel, on_delete=models.CASCADE, related_name="agent_door")
    payment = models.ForeignKey(ChannelIntegration, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    endpoint = models.OneToOneField(
        WebhookEndpoint, null=True, blank=True, on_delete=models.SET_NULL, related_name="agent_door"
    )
    request_secret = models.BinaryField(null=True, blank=True, editable=False)
    links = models.JSONField(default=dict, blank=True, help_text='{"terms_of_use": "https://...", ...}')
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "agent_doors"

    def __str__(self) -> str:
        return f"agents on {self.sales_channel}"


class AgentSession(models.Model):
    """A cart or a checkout that an agent has in hand. Its goods are those of `cart`, which is nobody's until it is
    ordered; amounts are reckoned on reading. `paying_until` is how long nobody else may complete it; what is charged is
    kept, encrypted, until it is known what came of it."""

    class Kind(models.TextChoices):
        CART = "cart", "Cart"
        CHECKOUT = "checkout", "Checkout"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        PAYING = "paying", "Is being paid"
        COMPLETED = "completed", "Ordered"
        CANCELED = "canceled", "Given up"

    token = models.UUIDField(unique=True)
    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="agent_sessions")
    kind = models.CharField(max_length=8, choices=Kind)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    cart = models.OneToOneField(Cart, on_delete=models.CASCADE, related_name="agent_session")
    key_name = models.CharField(max_length=80, blank=True, default="", help_text="Whose key it was begun with")
    buyer = models.JSONField(default=dict, blank=True)
    details = models.JSONField(default=dict, blank=True, help_text="Where the goods go, as the agent said")
    option = models.CharField(max_length=120, blank=True, default="", help_text="How the goods go")
    notes = models.CharField(max_length=5000, blank=True, default="")
    locale = models.CharField(max_length=35, blank=True, default="")
    attribution = models.JSONField(default=dict, blank=True)
    shown_total = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    encrypted = models.BinaryField(null=True, blank=True, editable=False)
    completing_call = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False,
        help_text="The digest of the call that completes it",
    )  # fmt: skip
    paying_until = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=40, blank=True, default="", help_text="Why it was not ordered, in a word")
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "agent_sessions"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["sales_channel", "-id"], name="agent_sessions_newest"),
            models.Index(fields=["paying_until"], name="agent_sessions_paying", condition=Q(state="paying")),
        ]

    def __str__(self) -> str:
        return str(self.token)

    @property
    def order(self) -> Order | None:
        """What it became."""
        return self.cart.order
