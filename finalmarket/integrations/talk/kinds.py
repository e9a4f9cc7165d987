"""The kinds of notices by which people are told something: mails and tickets."""

from __future__ import annotations

from collections.abc import Mapping

from finalmarket.integrations.models import DueNotice
from finalmarket.integrations.notice_words import Kind
from finalmarket.integrations.talk.letters import Letters
from finalmarket.integrations.talk.mails import Confirmations, Dispatches, Mail
from finalmarket.integrations.talk.tickets import Tickets
from finalmarket.integrations.talk.wishes import BackInStock

MAILS: Mapping[str, Mail] = {
    DueNotice.Kind.CONFIRMATION: Confirmations(),
    DueNotice.Kind.DISPATCH: Dispatches(),
    DueNotice.Kind.BACK_IN_STOCK: BackInStock(),
}
TALK: Mapping[str, Kind] = {**MAILS, DueNotice.Kind.TICKET: Tickets(), DueNotice.Kind.LETTER: Letters()}
