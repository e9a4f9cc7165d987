"""The site of the records and of the log-in, as Django's admin calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from unfold.sites import UnfoldAdminSite

from finalmarket.console.theme import navigation

if TYPE_CHECKING:
    Site = AdminSite
else:
    Site = UnfoldAdminSite


class ConsoleSite(Site):
    """unfold's site, within our Content-Security-Policy."""

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page is given. Colours stand in console.css: no style element stands in a page."""
        return super().each_context(request) | {"colors": None}

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The way through the console as theme.py gives it, which has asked for all rights already."""
        return navigation(request)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """The records that whoever asks may see, looked up where they are listed: all pages are given them, which asks
        for hundreds of rights, and two show them."""
        listed = super().get_app_list
        return SimpleLazyObject(lambda: listed(request, app_label))
