"""Connections to outside platforms, and the records of what went through them."""

from finalmarket.integrations.models.account import ChannelIntegration, Credential, IntegrationHealth, RateBudget
from finalmarket.integrations.models.inbox import DeadLetter, StreamCursor, SyncRun, WebhookDelivery
from finalmarket.integrations.models.links import ExternalId, ListingLink, PlaceMapping, UnlinkedListing
from finalmarket.integrations.models.outbox import DriftFinding, DueNotice, PushRecord
from finalmarket.integrations.models.outgoing import OutgoingDelivery, OutgoingEvent, WebhookEndpoint

__all__ = [
    "ChannelIntegration",
    "Credential",
    "DeadLetter",
    "DriftFinding",
    "DueNotice",
    "ExternalId",
    "IntegrationHealth",
    "ListingLink",
    "OutgoingDelivery",
    "OutgoingEvent",
    "PlaceMapping",
    "PushRecord",
    "RateBudget",
    "StreamCursor",
    "SyncRun",
    "UnlinkedListing",
    "WebhookDelivery",
    "WebhookEndpoint",
]
