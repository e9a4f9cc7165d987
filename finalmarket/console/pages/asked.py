"""What an operator asks a list for: filters from the address, checked and kept while paging."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
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


def text(label: str, hint: str) -> forms.CharField:
    """A field to search by."""
    field = forms.CharField(label=label, max_length=200, required=False)
    field.widget.attrs.update({"type": "search", "placeholder": hint, "autocomplete": "off"})
    return field


def day(label: str) -> forms.DateField:
    """A day, chosen in the browser's own calendar."""
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}))
