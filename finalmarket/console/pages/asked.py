"""What an operator asks a list for: filters from the address, checked and kept while paging."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import Q
from django.http import HttpRequest

from finalmarket.channels.models import SalesChannel

PAGE_SIZE = 50
KEYS = ("after", "before")


class Filters(forms.Form):
    """The filters of a list. What cannot be understood is left out and named beside its field."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__({name: value for name, value in request.GET.items() if "\x00" not in value})
        self.is_valid()
        self.address = request.path

    @property
    def given(self) -> dict[str, Any]:
        """The filters that are set and understood."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "", False)}

    @property
    def kept(self) -> str:
        """The filters as they stand in the address, to go before the key of another page."""
        return urlencode({name: self.data[name] for name in self.fields if self.data.get(name)})


class ChannelField(forms.ChoiceField):
    """A channel by its id; the choices are read once for the form."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=_channels, required=False, label=options.pop("label", "Channel"), **options)


def _channels() -> list[tuple[str, str]]:
    known = SalesChannel.objects.order_by("name").values_list("pk", "name")
    return [("", "All channels"), *((str(key), name) for key, name in known)]


def choice(label: str, every: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    """A field that offers `every` or one of `choices`."""
    return forms.ChoiceField(label=label, choices=[("", every), *choices], required=False)


def number() -> forms.IntegerField:
    """The number of a record that a link leads to; nobody types it."""
    return forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False, widget=forms.HiddenInput())


def text(label: str, hint: str) -> forms.CharField:
    """A field to search by."""
    field = forms.CharField(label=label, max_length=200, required=False)
    field.widget.attrs.update({"type": "search", "placeholder": hint, "autocomplete": "off"})
    return field


def in_days(given: dict[str, Any], *, at: str, channel: str) -> Q:
    """Rows whose moment `at` lies in the days that are asked for by `since` and `until`, each by the clock of its
    `channel`, as figures count them. One query, where days are asked for."""
    since, until = given.get("since"), given.get("until")
    if since is None and until is None:
        return Q()
    zones: dict[str, list[int]] = {}
    for key, zone in SalesChannel.objects.order_by("pk").values_list("pk", "time_zone"):
        zones.setdefault(zone, []).append(key)
    if len(zones) == 1:
        return _between(since, until, at, ZoneInfo(next(iter(zones))))
    found = Q(pk__in=[])
    for zone, keys in zones.items():
        found |= Q(**{f"{channel}__in": keys}) & _between(since, until, at, ZoneInfo(zone))
    # No clock is a day away from UTC: these bounds are what an index serves.
    around = since and since - timedelta(days=1), until and until + timedelta(days=1)
    return _between(*around, at, UTC) & found


def _between(since: date | None, until: date | None, at: str, zone: tzinfo) -> Q:
    found = Q()
    if since is not None:
        found &= Q(**{f"{at}__gte": datetime.combine(since, time.min, zone)})
    if until is not None:
        found &= Q(**{f"{at}__lt": datetime.combine(until + timedelta(days=1), time.min, zone)})
    return found


def day(label: str) -> forms.DateField:
    """A day, chosen in the browser's own calendar."""
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}))
