"""The form by which people come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import ngettext
from unfold.forms import AuthenticationForm as UnfoldForm

from finalmarket.access import log_ins
from finalmarket.access.callers import address_of

if TYPE_CHECKING:
    Form = AuthenticationForm
else:
    Form = UnfoldForm


class LogIn(Form):
    """Name and password; after too many wrong ones, a while of waiting, in which no password is looked at."""

    def clean(self) -> dict[str, Any]:
        """Look at the password, unless there were too many wrong ones. Raises ValidationError."""
        name = str(self.cleaned_data.get("username") or "")
        address = address_of(self.request) if self.request is not None else ""
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
