"""What shops of our own show and keep: keys, devices, codes and sessions of shoppers. Written by verbs alone."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from finalmarket.access.models import ShopDevice, ShopKey
from finalmarket.console.admin.records import ReadOnlyAdmin
from finalmarket.customers.models import ShopperSession, SignInCode


@admin.register(ShopKey)
class ShopKeyAdmin(ReadOnlyAdmin):
    """Publishable keys."""

    list_display = ("key", "kind", "sales_channel", "origins", "created_at", "created_by", "ends_at")
    list_select_related = ("sales_channel",)
    ordering = ("-id",)


@admin.register(ShopDevice)
class ShopDeviceAdmin(ReadOnlyAdmin):
    """Kiosks."""

    list_display = ("name", "sales_channel", "location_id", "paired_at", "last_seen_at", "ended_at")
    list_select_related = ("sales_channel",)
    exclude: ClassVar = ["code_digest", "token_digest"]
    ordering = ("-id",)


@admin.register(SignInCode)
class SignInCodeAdmin(ReadOnlyAdmin):
    """Codes that were mailed to shoppers."""

    list_display = ("address", "sales_channel", "created_at", "ends_at", "tries")
    list_select_related = ("sales_channel",)
    exclude: ClassVar = ["digest", "encrypted"]
    ordering = ("-id",)


@admin.register(ShopperSession)
class ShopperSessionAdmin(ReadOnlyAdmin):
    """Shoppers who are signed in."""

    list_display = ("customer", "sales_channel", "created_at", "ends_at")
    list_select_related = ("customer", "sales_channel")
    exclude: ClassVar = ["digest"]
    ordering = ("-id",)
