"""Those who talk with customers in our place: shopping agents, answers in chats, the voice of an assistant."""

from __future__ import annotations

from django.contrib import admin

from finalmarket.console.admin.records import ReadOnlyAdmin, pilled
from finalmarket.integrations.models import (
    AgentDoor,
    AgentSession,
    ChatAnswer,
    ChatTalk,
    LinkCode,
    VoiceLink,
    VoiceSkill,
)


@admin.register(AgentDoor)
class AgentDoorAdmin(ReadOnlyAdmin):
    """Doors for shopping agents; opened and closed on the page of agents."""

    list_display = ("sales_channel", "payment", "endpoint", "is_active", "created_at")
    list_select_related = ("sales_channel", "payment", "endpoint")
    fields = ("sales_channel", "payment", "endpoint", "links", "is_active", "created_at")
    ordering = ("-id",)


@admin.register(AgentSession)
class AgentSessionAdmin(ReadOnlyAdmin):
    """Carts and checkouts that agents have in hand."""

    list_display = (
        "token",
        "sales_channel",
        "kind",
        "state_in_words",
        "key_name",
        "trouble",
        "expires_at",
        "created_at",
    )
    list_select_related = ("sales_channel",)
    list_filter = ("state", "kind", "sales_channel")
    exclude = ("encrypted",)
    search_fields = ("=token",)
    search_help_text = "The whole token"
    ordering = ("-id",)

    state_in_words = pilled("state")


@admin.register(ChatTalk)
class ChatTalkAdmin(ReadOnlyAdmin):
    """Conversations in which a code or an offer is open."""

    list_display = ("conversation", "integration", "address", "customer", "known_until", "updated_at")
    list_select_related = ("integration", "customer")
    list_filter = ("integration",)
    search_fields = ("=conversation",)
    search_help_text = "The whole name of the conversation"
    ordering = ("-id",)


@admin.register(ChatAnswer)
class ChatAnswerAdmin(ReadOnlyAdmin):
    """What was asked in chats, and what we answered."""

    list_display = ("conversation", "integration", "author", "question", "state_in_words", "attempts", "created_at")
    list_select_related = ("integration",)
    list_filter = ("state", "integration")
    search_fields = ("=conversation",)
    search_help_text = "The whole name of the conversation"
    ordering = ("-id",)

    state_in_words = pilled("state")


@admin.register(VoiceSkill)
class VoiceSkillAdmin(ReadOnlyAdmin):
    """Skills of voice channels; set up on the page of the channel's voice."""

    list_display = ("sales_channel", "is_active", "created_at")
    list_select_related = ("sales_channel",)
    fields = ("sales_channel", "redirect_urls", "is_active", "created_at")
    ordering = ("-id",)


@admin.register(VoiceLink)
class VoiceLinkAdmin(ReadOnlyAdmin):
    """Customers whose assistant speaks for them."""

    list_display = ("id", "skill", "customer", "linked_at", "used_at", "ended_at")
    list_select_related = ("skill__sales_channel", "customer")
    fields = (
        "skill",
        "customer",
        "redirect_url",
        "linked_at",
        "used_at",
        "access_ends_at",
        "refresh_ends_at",
        "ended_at",
    )
    ordering = ("-id",)


@admin.register(LinkCode)
class LinkCodeAdmin(ReadOnlyAdmin):
    """Codes by which customers proved who they are; of the code itself nothing can be read."""

    list_display = ("id", "skill", "customer", "address", "tries", "ends_at", "used_at")
    list_select_related = ("skill__sales_channel", "customer")
    fields = ("skill", "customer", "address", "tries", "ends_at", "used_at", "created_at")
    ordering = ("-id",)
