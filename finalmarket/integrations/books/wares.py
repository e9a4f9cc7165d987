"""The two kinds of records that platforms keep in their books: what is made of each, how it is told and asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Protocol

from finalmarket.connectors.books import OrderContent, OrderNames, PushesOrders
from finalmarket.connectors.contract import PullsCustomers, PushesCustomers
from finalmarket.connectors.records import CustomerContent
from finalmarket.integrations.books import orders, people
from finalmarket.integrations.books.finding import Books
from finalmarket.integrations.models import DueRecord
from finalmarket.integrations.telling import key_of

NAMES = ("key", "external_id", "line_ids", "updated_at")
"""Parts of a content that say nothing of the record itself."""
ECHOED = ("name", "language")
"""What the newest word on a person decides, whoever says it."""
What = DueRecord.What


@dataclass(frozen=True, slots=True)
class Due:
    """A due record as it was read: see the model."""

    pk: int
    local_id: int
    version: int
    settled_version: int
    external_id: str
    line_ids: Mapping[str, str]
    digest: str
    is_doubtful: bool
    attempts: int

    @property
    def was_tried(self) -> bool:
        """Whether an earlier try may have arrived though it has no answer: what may be repeated under its key is put
        off without a doubt even where it was carried out."""
        return self.is_doubtful or self.attempts > 0

    @property
    def was_told(self) -> bool:
        """Whether the account knows the record, or may know it."""
        return bool(self.external_id or self.digest or self.was_tried)


class Ware(Protocol):
    """One kind of records."""

    what: ClassVar[str]
    capability: ClassVar[type]

    def read(self, books: Books, dues: Sequence[Due]) -> Mapping[int, Any]:
        """What the account is to know of each, by the id of the due record, with key and names; a record of which there
        is nothing to tell is left out."""

    def digest(self, content: Any) -> str:
        """What two contents that look the same have in common."""

    def echoes(self, content: Any) -> dict[str, str]:
        """Digests of what the account may tell us back as if it were news."""

    def ask(self, connector: Any, content: Any) -> Any:
        """The content with the names that the platform has for the record, asked for after an unknown outcome."""

    def tell(self, connector: Any, content: Any) -> OrderNames:
        """Tell the platform; return what it calls the record now."""

    def is_there(self, connector: Any, external_id: str, local_id: int) -> bool:
        """Whether the platform has the record. True, too, where that cannot be asked."""


class Orders:
    """Orders. They are told by their number, which stays the same: told twice, an order stands once."""

    what: ClassVar[str] = What.ORDER
    capability: ClassVar[type] = PushesOrders

    def read(self, books: Books, dues: Sequence[Due]) -> Mapping[int, OrderContent]:
        found = orders.contents_of(books.integration, [due.local_id for due in dues])
        contents = {}
        for due in dues:
            ordered = found.get(due.local_id)
            if ordered is None or (books.is_for_agreed and not ordered.has_agreed and not due.was_told):
                continue
            key = key_of(books.integration, self.what, due.local_id, due.version)
            contents[due.pk] = replace(
                ordered.content, key=key, external_id=due.external_id, line_ids=dict(due.line_ids)
            )
        return contents

    def digest(self, content: OrderContent) -> str:
        return digest_of(content)

    def echoes(self, content: OrderContent) -> dict[str, str]:
        return {}

    def ask(self, connector: Any, content: OrderContent) -> OrderContent:
        names = None if content.external_id else connector.find_order(content.number)
        return replace(content, external_id=names.external_id, line_ids=dict(names.lines)) if names else content

    def tell(self, connector: Any, content: OrderContent) -> OrderNames:
        told: OrderNames = connector.push_order(content)
        return told

    def is_there(self, connector: Any, external_id: str, local_id: int) -> bool:
        return connector.find_order(orders.number_of(local_id)) is not None


class Customers:
    """People, by their canonical profiles. A person whom the account does not have is made under one key until that has
    an answer."""

    what: ClassVar[str] = What.CUSTOMER
    capability: ClassVar[type] = PushesCustomers

    def read(self, books: Books, dues: Sequence[Due]) -> Mapping[int, CustomerContent]:
        found = people.contents_of(books.integration, [due.local_id for due in dues])
        contents = {}
        for due in dues:
            content = found.get(due.local_id)
            if content is None or not _is_wanted(books, due, content):
                continue
            if books.is_for_agreed and not content.accepts_email:
                content = people.withdrawn(content)
            name = due.external_id or content.external_id
            state = due.version if name else f"after-{due.settled_version}"
            contents[due.pk] = replace(
                content, external_id=name, key=key_of(books.integration, self.what, due.local_id, state)
            )
        return contents

    def digest(self, content: CustomerContent) -> str:
        return digest_of(content)

    def echoes(self, content: CustomerContent) -> dict[str, str]:
        return echoes_of({name: getattr(content, name) for name in ECHOED})

    def ask(self, connector: Any, content: CustomerContent) -> CustomerContent:
        return content  # it cannot be asked for by what we know: the key keeps it single

    def tell(self, connector: Any, content: CustomerContent) -> OrderNames:
        return OrderNames(external_id=str(connector.push_customer(content)))

    def is_there(self, connector: Any, external_id: str, local_id: int) -> bool:
        return not isinstance(connector, PullsCustomers) or connector.pull_customer(external_id) is not None


def _is_wanted(books: Books, due: Due, content: CustomerContent) -> bool:
    """Whether the account is to hear of this person: nobody is told of whom nothing is known to call them by, and a
    mailing platform hears of those who agreed, or who did."""
    if due.was_told:
        return True
    is_somebody = bool(content.name or content.email or content.phone or content.external_id)
    return is_somebody and (bool(content.accepts_email) or not books.is_for_agreed)


WARES: Sequence[Ware] = (Customers(), Orders())


def echoes_of(words: Mapping[str, str]) -> dict[str, str]:
    """The digests of what somebody is called, by the name of the field; nothing where nothing is said."""
    return {name: hashlib.sha256(word.encode()).hexdigest()[:16] for name, word in words.items() if word}


def digest_of(content: Any) -> str:
    """The SHA-256 of all that a content says of its record."""
    said = {name: value for name, value in asdict(content).items() if name not in NAMES}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()
