"""Connections to outside platforms, and the records of what went through them."""

from finalmarket.integrations.models.account import ChannelIntegration, Credential, IntegrationHealth, RateBudget
from finalmarket.integrations.models.agents import AgentDoor, AgentSession
from finalmarket.integrations.models.books import DueEvent, DueRecord, MasterCount, OutsideFigure
from finalmarket.integrations.models.chat import ChatAnswer, ChatTalk
from finalmarket.integrations.models.desk import PaymentPage, ShippingLabel, Ticket
from finalmarket.integrations.models.inbox import DeadLetter, StreamCursor, SyncRun, WebhookDelivery
from finalmarket.integrations.models.letters import OwnLetter
from finalmarket.integrations.models.links import ExternalId, ItemLink, ListingLink, PlaceMapping, UnlinkedListing
from finalmarket.integrations.models.outbox import DriftFinding, DueNotice, NameElsewhere, PushRecord
from finalmarket.integrations.models.outgoing import OutgoingDelivery, OutgoingEvent, WebhookEndpoint
from finalmarket.integrations.models.talk import MailText, WishedStock
from finalmarket.integrations.models.voice import LinkCode, VoiceLink, VoiceSkill

__all__ = [
    "AgentDoor",
    "AgentSession",
    "ChannelIntegration",
    "ChatAnswer",
    "ChatTalk",
    "Credential",
    "DeadLetter",
    "DriftFinding",
    "DueEvent",
    "DueNotice",
    "DueRecord",
    "ExternalId",
    "IntegrationHealth",
    "ItemLink",
    "LinkCode",
    "ListingLink",
    "MailText",
    "MasterCount",
    "NameElsewhere",
    "OutgoingDelivery",
    "OutgoingEvent",
    "OutsideFigure",
    "OwnLetter",
    "PaymentPage",
    "PlaceMapping",
    "PushRecord",
    "RateBudget",
    "ShippingLabel",
    "StreamCursor",
    "SyncRun",
    "Ticket",
    "UnlinkedListing",
    "VoiceLink",
    "VoiceSkill",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WishedStock",
]
