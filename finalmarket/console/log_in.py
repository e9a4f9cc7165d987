"""The form by which people come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import ngettext
from unfold.forms import AuthenticationForm as UnfoldForm

from finalmarket.access import log_ins

if TYPE_CHECKING:
    Form = AuthenticationForm
else:
    Form = UnfoldForm


class LogIn(Form):
    """Name and password; after too many wrong ones, a while of waiting, in which no password is looked at."""

    def clean(self) -> dict[str, Any]:
        """Look at the password, unless there were too many wrong ones. Raises ValidationError."""
        name, address = str(self.cleaned_data.get("username") or ""), caller(self.request)
        if wait := log_ins.wait_seconds(name, address):
            minutes = -(-wait // 60)
            raise ValidationError(
                ngettext(
                    "Too many wrong passwords: try again in a minute.",
                    "Too many wrong passwords: try again in {minutes} minutes.",
                    minutes,
                ).format(minutes=minutes),
                code="throttled",
            )
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            log_ins.note_failure(name, address)
            raise
        log_ins.note_success(name, address)
        if self.request is not None and self.request.session.session_key:
            self.request.session.cycle_key()  # who logs in anew while logged in gets another session, too
        return cleaned


def caller(request: HttpRequest | None) -> str:
    """The network address that a request comes from. Behind a proxy it is the last one that the proxy added."""
    if request is None:
        return ""
    told = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
    if settings.BEHIND_PROXY and told:
        return told.rpartition(",")[2].strip()[:60]
    return str(request.META.get("REMOTE_ADDR", ""))
