"""Bulk edit: listings or prices from a file or pasted text, with a preview before anything changes."""

from __future__ import annotations

import tempfile
from dataclasses import astuple
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from finalmarket.bulk import listings, prices
from finalmarket.bulk.plan import Importer, Plan, make_plan
from finalmarket.channels.models import SalesChannel
from finalmarket.console.file_work import SUBJECTS
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import page, show
from finalmarket.kernel.errors import UserError, sentence

MOST_BYTES = 2_000_000
SHOWN = 100
SALT = "console.bulk"
KINDS = [("listings", "Listings"), ("prices", "Prices")]


class BulkForm(forms.Form):
    """What is to be edited, and the table with the new values."""

    kind = forms.ChoiceField(label="What to edit", choices=KINDS)  # of these, whatever the user may change
    channel = asked.ChannelField(label="Channel")
    file = forms.FileField(label="A CSV file", required=False)
    text = forms.CharField(
        label="or paste the table here, header first",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
    )
    name = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, user: Any, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [(kind, word) for kind, word in KINDS if user.has_perm(SUBJECTS[kind].permission)]
        self.fields["kind"] = forms.ChoiceField(label="What to edit", choices=choices)

    def clean(self) -> dict[str, Any]:
        """Take the file before the text; refuse neither and too much."""
        given: dict[str, Any] = super().clean() or {}
        file = given.get("file")
        table = file.read() if file else given.get("text", "").encode()
        if table.startswith(b"PAR1"):
            raise forms.ValidationError("Parquet files are for the command line: finalmarket import ... FILE")
        if not table.strip():
            raise forms.ValidationError("Choose a file or paste a table: a header line, then one line for each row.")
        if len(table) > MOST_BYTES:
            raise forms.ValidationError(
                f"That is more than {MOST_BYTES // 1_000_000} MB; bring it in with: finalmarket import "
                f"{given.get('kind', 'listings')} FILE"
            )
        named = PurePath(file.name).name if file and file.name else given.get("name")
        return given | {"table": table, "name": named or "pasted.csv"}

    @property
    def importer(self) -> Importer:
        """The importer of what is edited; its columns are told to the operator."""
        key = self.cleaned_data.get("channel")
        channel = SalesChannel.objects.get(pk=int(key)) if key else None
        return listings.importer(channel) if self.cleaned_data["kind"] == "listings" else prices.importer(channel)


@page("channels.change_channelproduct", "GET", "HEAD", "POST")
def bulk(request: HttpRequest) -> HttpResponse:
    """The form; after it the preview; after the preview the change itself."""
    if request.method != "POST":
        return _show(request, BulkForm(request.user, initial={"kind": "listings"}))
    form = BulkForm(request.user, request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, form, status=400)
    try:
        return _preview_or_apply(request, form)
    except UserError as error:
        form.add_error(None, sentence(str(error)))
        return _show(request, form, status=400)


def _preview_or_apply(request: HttpRequest, form: BulkForm) -> HttpResponse:
    """Apply only what was previewed: when the counts are other ones by now, the preview is shown anew."""
    with tempfile.TemporaryDirectory(prefix="finalmarket-bulk-") as folder:
        path = Path(folder) / f"{Path(form.cleaned_data['name']).stem or 'pasted'}.csv"
        path.write_bytes(form.cleaned_data["table"])
        try:
            with make_plan(form.importer, path) as plan:
                seen = request.POST.get("seen", "")
                if not seen:
                    return _show(request, form, _preview(form, plan))
                if _read(seen) != list(astuple(plan.counts)):
                    messages.warning(request, "Something changed meanwhile; look at the preview again.")
                    return _show(request, form, _preview(form, plan))
                done = plan.apply()
        except UserError as error:
            raise UserError(str(error).replace(f"{folder}/", "")) from error
    messages.success(
        request,
        f"{done.created:,} created, {done.changed:,} changed, {done.unchanged:,} were so already, "
        f"{done.refused:,} left out.",
    )
    return HttpResponseRedirect(reverse("console:bulk"))


def _preview(form: BulkForm, plan: Plan) -> dict[str, Any]:
    counts = plan.counts
    return {
        "counts": counts,
        "changes": plan.changes(SHOWN),
        "refusals": list(islice(plan.refusals(), SHOWN)),
        "shown": SHOWN,
        "is_empty": not (counts.created or counts.changed),
        "seen": signing.dumps(list(astuple(counts)), salt=SALT),
        "given": {
            "kind": form.cleaned_data["kind"],
            "channel": form.cleaned_data.get("channel", ""),
            "name": form.cleaned_data["name"],
            "text": _text(form.cleaned_data["table"]),
        },
    }


def _text(table: bytes) -> str:
    """The table as text for the way to the second step. The plan has read it, so it is text."""
    return table.decode("utf-8-sig")


def _read(seen: str) -> list[int] | None:
    try:
        counts: list[int] = signing.loads(seen, salt=SALT, max_age=3600)
    except signing.BadSignature:
        return None
    return counts


def _show(
    request: HttpRequest, form: BulkForm, preview: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    columns = {"listings": listings.importer().columns, "prices": prices.importer().columns}
    context = {"form": form, "preview": preview, "columns": columns, "most_bytes": MOST_BYTES}
    return show(request, "bulk.html", "Bulk edit", context, status=status)
