"""Settings: who may come in, keys, rules, and what is said of the merchant."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from finalmarket.access import roles
from finalmarket.access.models import ApiKey
from finalmarket.analytics.models import Merchant
from finalmarket.channels.models import SalesChannel
from finalmarket.console import rules
from finalmarket.console.pages.frame import attempt, back, page, show
from finalmarket.journeys.tracking import WriteKey
from finalmarket.kernel import clock
from finalmarket.kernel.money import check_currency
from finalmarket.orders.models import TaxRate

OPEN_TO = "auth.view_user|journeys.view_writekey|stock.change_channelinventory|analytics.view_merchant"
MOST_CHANNELS = 500


@page(OPEN_TO)
def settings(request: HttpRequest) -> HttpResponse:
    """What there is to set, each with what it is now."""
    context = {
        "is_owner": roles.is_owner(request.user),
        "keys": ApiKey.objects.filter(ends_at=None).count(),
        "write_keys": WriteKey.objects.filter(ends_at=None).count(),
        "merchant": Merchant.objects.filter(pk=1).first(),
    }
    return show(request, "settings.html", "Settings", context)


@page(OPEN_TO)
def list_rules(request: HttpRequest) -> HttpResponse:
    """Every rule with what it is now, and where it is changed by those who may."""
    user = request.user
    found = [
        (group, [(rule, not rule.permission or user.has_perm(rule.permission)) for rule in group.rules])
        for group in rules.groups()
    ]
    return show(request, "rules.html", "Rules", {"groups": found})


@page("journeys.view_writekey")
def tracking_keys(request: HttpRequest) -> HttpResponse:
    """The tracking keys of all channels."""
    in_force = Count("write_keys", filter=Q(write_keys__ends_at=None) | Q(write_keys__ends_at__gt=clock.now()))
    channels = SalesChannel.objects.exclude(status="archived").annotate(keys=in_force).order_by("name")
    return show(request, "tracking_keys.html", "Tracking keys", {"channels": channels[:MOST_CHANNELS]})


class MerchantForm(forms.Form):
    """What is said of the merchant."""

    name = forms.CharField(label="Name, as customers know it", max_length=100, required=False)
    currency = forms.CharField(label="Currency of the figures", min_length=3, max_length=3)
    time_zone = forms.ChoiceField(
        label="Time zone", choices=lambda: [(name, name) for name in sorted(available_timezones())]
    )

    def clean_currency(self) -> str:
        """A currency that there is."""
        return check_currency(self.cleaned_data["currency"].strip().upper())


@page("analytics.view_merchant")
def merchant(request: HttpRequest) -> HttpResponse:
    """The facts of the merchant, and the tax rates."""
    return show(request, "merchant.html", "Merchant", {"form": MerchantForm(initial=_known())} | _rates())


@page("analytics.change_merchant", "POST")
def change_merchant(request: HttpRequest) -> HttpResponse:
    """Keep what is said of the merchant."""
    form = MerchantForm(request.POST)

    def verb() -> str:
        if not form.is_valid():
            raise forms.ValidationError([str(text) for texts in form.errors.values() for text in texts])
        Merchant.objects.update_or_create(pk=1, defaults=form.cleaned_data)
        return "Kept. New channels begin with this currency and time zone; figures follow within a second."

    attempt(request, verb)
    return back(request, reverse("console:merchant"))


def _known() -> dict[str, Any]:
    found = Merchant.objects.filter(pk=1).values("name", "currency", "time_zone").first()
    if found:
        return dict(found)
    first = SalesChannel.objects.order_by("pk").values("currency", "time_zone").first()
    return dict(first) if first else {"currency": "EUR", "time_zone": "UTC"}


def _rates() -> dict[str, Any]:
    return {"rates": list(TaxRate.objects.all()[:200])}
