"""Files in and out with everything in them: begun here, carried out by a worker, watched here."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.access.models import Work
from finalmarket.console import file_work
from finalmarket.console.file_work import SUBJECTS
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import actor, attempt, back, page, show

CHANGE = "channels.change_channelproduct"


class FileForm(forms.Form):
    """What is brought in, or out where no file is given."""

    subject = forms.ChoiceField(label="What", choices=[(key, one.title) for key, one in SUBJECTS.items()])
    channel = asked.ChannelField(label="Of channel, for prices and listings")
    file = forms.FileField(label="A CSV or Parquet file", required=False)


@page(CHANGE)
def files(request: HttpRequest) -> HttpResponse:
    """What was brought in and out, newest first, and the forms."""
    works = Work.objects.defer("given", "made", "found")
    importers = {key: one.importer(None).columns for key, one in SUBJECTS.items()}
    context = {
        "slice": cut(works, ("-id",), request.GET, asked.PAGE_SIZE), "form": FileForm(), "columns": importers,
        "titles": {key: one.title for key, one in SUBJECTS.items()}, "filters": asked.Filters(request),
        "most_bytes": file_work.MOST_BYTES,
    }  # fmt: skip
    return show(request, "files.html", "Files in and out", context)


@page(CHANGE, "POST")
def begin_work(request: HttpRequest) -> HttpResponse:
    """Begin an import or an export."""
    form, made = FileForm(request.POST, request.FILES), list[Work]()

    def verb() -> str:
        if not form.is_valid():
            raise ValidationError([str(text) for texts in form.errors.values() for text in texts])
        given = form.cleaned_data
        _may(request, given["subject"])
        channel = int(given["channel"]) if given["channel"] and SUBJECTS[given["subject"]].is_by_channel else None
        made.append(_begun(request, given, channel))
        return "A worker has it; this page shows how far it is."

    if attempt(request, verb):
        return HttpResponseRedirect(reverse("console:work", args=[made[0].pk]))
    return back(request, reverse("console:files"))


def _begun(request: HttpRequest, given: dict[str, Any], channel: int | None) -> Work:
    who, file = actor(request), given.get("file")
    if "export" in request.POST:
        return file_work.ask_export(given["subject"], channel_id=channel, actor=who)
    if file is None:
        raise ValidationError("Choose a file first.")
    name = PurePath(file.name or "file.csv").name
    return file_work.ask_import(given["subject"], name, file.read(), channel_id=channel, actor=who)


@page(CHANGE)
def work(request: HttpRequest, key: int) -> HttpResponse:
    """One import or export: how far it is, what it would change, what came of it."""
    found = get_object_or_404(Work.objects.defer("given", "made"), pk=key)
    counts = found.found.get("counts", {})
    context = {
        "work": found, "title_of": SUBJECTS[found.subject].title, "counts": counts, "shown": file_work.SHOWN,
        "is_going_on": found.state in (Work.State.WAITING, Work.State.RUNNING),
        "has_file": Work.objects.filter(pk=key).exclude(made=None).exists(),
        "to_change": counts.get("created", 0) + counts.get("changed", 0),
        "may": request.user.has_perm(SUBJECTS[found.subject].permission),
    }  # fmt: skip
    return show(request, "work.html", str(found), context)


@page(CHANGE, "POST")
def apply_work(request: HttpRequest, key: int) -> HttpResponse:
    """Do what an import has found."""
    found = get_object_or_404(Work.objects.defer("given", "made"), pk=key)
    _may(request, found.subject)

    def verb() -> str:
        file_work.ask_apply(found)
        return "A worker brings it in."

    attempt(request, verb)
    return back(request, reverse("console:work", args=[key]))


@page(CHANGE)
def work_file(request: HttpRequest, key: int) -> HttpResponse:
    """The file that was made."""
    found = get_object_or_404(Work, pk=key)
    _may(request, found.subject)
    if found.made is None:
        raise Http404("the file is not kept any more")
    headers = {"Content-Disposition": f'attachment; filename="{found.subject}.csv"'}
    return HttpResponse(bytes(found.made), content_type="text/csv; charset=utf-8", headers=headers)


def _may(request: HttpRequest, subject: str) -> None:
    if not request.user.has_perm(SUBJECTS[subject].permission):
        raise PermissionDenied(f"{request.user} may not change {subject}")
