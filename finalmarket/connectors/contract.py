"""What a connector is: a class whose statement declares what the platform can do.

    class Square(Connector, PullsOrders, PushesStock, ReceivesWebhooks): ...

Console buttons, conformance tests and the matrix in the docs are read from it. Pulls yield pages and keep no state;
pushes send absolute values and return what was refused; whatever else goes wrong is raised as errors.py names it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import ClassVar
from urllib.parse import urlsplit

import httpx2

from finalmarket.connectors.auth import Keep, Renewing, nobody_else
from finalmarket.connectors.books import PushesMovements, PushesOrders
from finalmarket.connectors.errors import ConnectorError, NeedsAttention, Rejected
from finalmarket.connectors.http import Answer, Http, retry_after, scrubber
from finalmarket.connectors.rates import Budget, Rate, Unlimited
from finalmarket.connectors.records import (
    CustomerContent,
    CustomerRecord,
    Delivery,
    Event,
    FulfilmentNotice,
    ListingContent,
    ListingRecord,
    ListingRef,
    OrderRecord,
    Page,
    PaymentRecord,
    PaymentRequest,
    PaymentStart,
    PriceLevel,
    RefundNotice,
    StockLevel,
    StockRecord,
    TokenCharge,
)
from finalmarket.connectors.shipping import Ships
from finalmarket.connectors.talk import (
    AnswersConversations,
    OpensTickets,
    PullsConversations,
    PullsFigures,
    PullsInteractions,
    SendsEvents,
    SendsMessages,
)

USER_AGENT = "TheFinalMarket/0.1 (omnichannel hub)"


@dataclass(frozen=True, slots=True)
class Checked:
    """Against what the connector was checked, and when."""

    what: str
    on: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the connect form that is no secret."""

    name: str
    label: str
    help: str = ""
    is_required: bool = True
    default: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    is_empty_meant: bool = False  # emptied by a person it stays empty, instead of being the default


@dataclass(frozen=True)
class Account:
    """One account on one platform: its secrets and settings. `base_url` stands in for the platform's own host (a
    sandbox); `keep` stores secrets that the platform renews; within `renewing` nobody else renews them, and it gives
    those that are kept by then."""

    secrets: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""
    keep: Keep = lambda secrets: None
    renewing: Renewing = nobody_else

    def __repr__(self) -> str:
        return f"Account(secrets of {', '.join(sorted(self.secrets)) or 'nothing'})"


class Connector(ABC):
    """One platform, for one account. Subclasses declare; what they can do, the capabilities below say."""

    slug: ClassVar[str]
    name: ClassVar[str]
    kind: ClassVar[str]  # the integration type, as ChannelIntegration knows it
    docs: ClassVar[str]
    api_version: ClassVar[str]
    base_url: ClassVar[str]
    rate: ClassVar[Rate]
    rates: ClassVar[Mapping[str, Rate]] = {}  # buckets with a pace of their own, by name
    secrets: ClassVar[tuple[str, ...]]
    optional_secrets: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[tuple[Setting, ...]] = ()
    former_names: ClassVar[tuple[str, ...]] = ()
    described_in: ClassVar[tuple[str, ...]]  # folders of the published descriptions
    checked_against: ClassVar[Checked]
    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = {}
    is_practice: ClassVar[bool] = False  # exists in the sandbox only, to try and to test on

    def __init__(
        self, account: Account, *, budget: Budget | None = None, transport: httpx2.BaseTransport | None = None
    ) -> None:
        self._scrub = scrubber(account.secrets.values())
        self._keep, self._renewing = account.keep, account.renewing
        self.account = replace(account, keep=self._renewed, renewing=self._alone)
        self._budget = budget or Unlimited()
        self._transport = transport

    def _renewed(self, secrets: Mapping[str, str]) -> None:
        """Keep secrets that the platform gave, and never show them either."""
        self._learn(secrets)
        self._keep(secrets)

    @contextmanager
    def _alone(self) -> Iterator[Mapping[str, str]]:
        """Renew alone, and never show what somebody else has renewed meanwhile."""
        with self._renewing() as kept:
            self._learn(kept)
            yield kept

    def _learn(self, secrets: Mapping[str, str]) -> None:
        self._scrub.learn(value for name, value in secrets.items() if not name.endswith("_at"))

    @cached_property
    def http(self) -> Http:
        """The way to the platform; opened at the first call."""
        return Http(
            base_url=self.address(self.base_url),
            auth=self.auth(),
            scrub=self._scrub,
            explain=self.error_code,
            consequences=self.consequences,
            rates={"": self.rate, **self.rates},
            budget=self._budget,
            heed=self.heed,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json", **self.headers()},
            transport=self._transport,
            platform=self.slug,
        )

    def close(self) -> None:
        """Give the connections back, if any were opened."""
        if "http" in self.__dict__:
            self.http.close()

    def address(self, url: str) -> str:
        """The address to call instead of the platform's own `url`: the same, unless a stand-in host is set."""
        if not self.account.base_url:
            return url
        parts = urlsplit(url)
        return self.account.base_url.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")

    def setting(self, name: str) -> str:
        """What was entered for a setting, else its default."""
        known = next(setting for setting in self.settings if setting.name == name)
        given = self.account.settings.get(name)
        entered = (given or "").strip()
        return entered if entered or (known.is_empty_meant and given is not None) else known.default

    def needed_setting(self, name: str) -> str:
        """What was entered for a setting. Raises NeedsAttention, with its label, where nothing was."""
        found = self.setting(name)
        if not found:
            label = next(setting.label for setting in self.settings if setting.name == name)
            raise NeedsAttention(f"{label} is missing: enter it in the settings")
        return found

    def headers(self) -> Mapping[str, str]:
        """Headers that every call carries, such as the API version."""
        return {}

    def heed(self, answer: Answer, bucket: str) -> float | None:
        """Take over what any answer, refused ones included, tells of the limits (`self._budget.learn`); return the
        seconds that it asks to wait, None where it asks for none."""
        return retry_after(answer.headers)

    @abstractmethod
    def auth(self) -> httpx2.Auth:
        """How we are let in."""

    @abstractmethod
    def check(self) -> str:
        """Make the cheapest authenticated call; return whose account it is, in words. Raises NeedsAttention."""

    @abstractmethod
    def error_code(self, answer: Answer) -> tuple[str, str]:
        """The platform's error code and words in an answer; "" and "" where it reports no error."""


class PullsOrders(ABC):
    """Orders come in."""

    @abstractmethod
    def pull_orders(self, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
        """Yield orders changed since the cursor (first time: since that moment, None: all), oldest change first."""

    @abstractmethod
    def pull_order(self, external_id: str) -> OrderRecord | None:
        """One order as it stands now; None when the platform has none of that id."""


class PullsListings(ABC):
    """What is on sale there is known."""

    @abstractmethod
    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        """Yield all listings from the cursor on."""


class PullsStock(ABC):
    """What the platform shows can be compared."""

    stock_read_limit: ClassVar[int] = 50

    @abstractmethod
    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        """What the platform shows of these listings, at most `stock_read_limit`; one it does not know is left out."""


class PullsCustomers(ABC):
    """Customers come in."""

    @abstractmethod
    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        """Yield customers changed since the cursor, oldest change first."""

    @abstractmethod
    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        """One customer as it stands now; None when the platform has none of that id."""


class PullsPayments(ABC):
    """Payments come in."""

    @abstractmethod
    def pull_payments(self, cursor: str, since: datetime | None) -> Iterator[Page[PaymentRecord]]:
        """Yield payments changed since the cursor, oldest change first."""

    @abstractmethod
    def pull_payment(self, external_id: str) -> PaymentRecord | None:
        """One payment as it stands now; None when the platform has none of that id."""


class PushesStock(ABC):
    """Stock goes out."""

    stock_batch_limit: ClassVar[int]
    # Codes that say that `shown` is not what is shown any more, where the platform compares before it sets.
    stale_codes: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def push_stock(self, levels: Sequence[StockLevel]) -> Sequence[Rejected]:
        """Set these quantities, at most `stock_batch_limit`; return those that were refused, each with its key."""


class PushesPrices(ABC):
    """Prices go out."""

    price_batch_limit: ClassVar[int]

    @abstractmethod
    def push_prices(self, levels: Sequence[PriceLevel]) -> Sequence[Rejected]:
        """Set these prices, at most `price_batch_limit`; return those that were refused, each with its key."""


class PushesListings(ABC):
    """Listings go out."""

    listing_batch_limit: ClassVar[int]

    @abstractmethod
    def push_listings(self, contents: Sequence[ListingContent]) -> Sequence[ListingRef | Rejected]:
        """Make or change these listings, at most `listing_batch_limit`; return what each is called, in their order."""


class PushesFulfilments(ABC):
    """The platform hears what was shipped."""

    @abstractmethod
    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        """Tell of a parcel; return the platform's id of it ("" where it gives none). Told twice, it counts once."""


class PushesRefunds(ABC):
    """Money goes back through the platform."""

    @abstractmethod
    def push_refund(self, notice: RefundNotice) -> str:
        """Give money back; return the platform's id of the refund. Asked twice under one key, it happens once."""


class PushesCancellations(ABC):
    """The platform hears that an order will not be served."""

    @abstractmethod
    def push_cancellation(self, order_id: str, reason: str, key: str) -> None:
        """Cancel the order there. One that is cancelled already stays so."""


class PushesCustomers(ABC):
    """Customers go out."""

    @abstractmethod
    def push_customer(self, content: CustomerContent) -> str:
        """Make or change a customer; return the platform's id."""


class ErasesCustomers(ABC):
    """Who was erased here is erased there too."""

    @abstractmethod
    def erase_customer(self, external_id: str) -> None:
        """Have a customer deleted, or all that tells who they are; what the platform has to keep of its books stays.
        Asked twice it happens once, and whom the platform does not know (any more) is erased already. Raises Rejected
        where it keeps them, for example while something of theirs is under way."""


class TakesPayments(ABC):
    """Money is taken and given back."""

    @abstractmethod
    def capture_payment(self, payment_id: str, amount: Decimal, currency: str, key: str) -> PaymentRecord:
        """Take an authorised amount, or a part of it; return the payment as it stands then."""

    @abstractmethod
    def cancel_payment(self, payment_id: str, key: str) -> PaymentRecord:
        """Let an authorised amount go."""


class TakesPaymentsInParts(TakesPayments):
    """What is authorised can be taken in several steps (`capture_payment`, each under its key): what is left stays
    authorised until it is let go (`cancel_payment`, which leaves what was taken). A record's `captured` is the sum of
    what was taken, and `is_held` says whether there is a rest."""


class StartsPayments(ABC):
    """A buyer pays on the platform's own page."""

    @abstractmethod
    def start_payment(self, request: PaymentRequest) -> PaymentStart:
        """Open a payment; return where to send the buyer. Asked twice under one key, it is one payment."""

    @abstractmethod
    def finish_payment(self, payment_id: str, key: str) -> PaymentRecord:
        """After the buyer has said yes: reserve the amount, or take it where that was asked for; return the payment as
        it stands then. Done twice, it happens once. Raises Rejected where the buyer has not said yes."""


class ChargesTokens(ABC):
    """A buyer's assistant hands over a token that is good for one payment (delegated payment)."""

    @abstractmethod
    def charge_token(self, charge: TokenCharge) -> PaymentRecord:
        """Have the amount reserved that the token stands for; return the payment as it stands then. Done twice under
        one key, it happens once. Raises Rejected where the bank, or the platform, says no to this very payment."""


class ReceivesWebhooks(ABC):
    """The platform calls us. `webhook_topics` are the events to subscribe to, in its words."""

    webhook_topics: ClassVar[tuple[str, ...]]
    webhook_secrets: ClassVar[tuple[str, ...]]  # names of the secrets that deliveries are signed with

    @abstractmethod
    def subscribe(self, url: str) -> Mapping[str, str]:
        """Have events sent to `url`, once; return secrets that the platform gave for it, to be kept."""

    @abstractmethod
    def verify_webhook(self, delivery: Delivery) -> None:
        """Raise WebhookRefused unless the delivery is proved to come from the platform."""

    @abstractmethod
    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """What happened, from a verified delivery; events of an unknown topic have the kind "unknown"."""

    def answer_challenge(self, url: str, query: Mapping[str, str]) -> tuple[str, str] | None:
        """What to answer a GET at the webhook's own address `url`, by which a platform asks whether it is ours: the
        content type and the text. None where the platform asks no such thing, or the question is not its own."""
        return None

    def question(self, delivery: Delivery) -> str:
        """What a person is asked to do at the platform before it sends webhooks, from a delivery that nobody can prove
        yet (a code to be entered there), in words; "" for every other delivery. It is shown, and changes nothing."""
        return ""

    def webhook_secret(self) -> tuple[str, ...]:
        """The secrets in force: the present one, and while it rotates the former one (`<name>_previous`)."""
        names = [*self.webhook_secrets, *(f"{name}_previous" for name in self.webhook_secrets)]
        secrets: Mapping[str, str] = self.account.secrets  # type: ignore[attr-defined]  # a Connector beside us
        return tuple(secrets[name] for name in names if secrets.get(name))


class Authorizes(ABC):
    """The account is connected by a round trip in the browser (OAuth 2, authorization code)."""

    @abstractmethod
    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """Where to send the person; `verifier` is for platforms with PKCE."""

    @abstractmethod
    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """Turn what the platform sent back into secrets. Raises NeedsAttention where it is not genuine or too late."""


CAPABILITIES: tuple[type, ...] = (
    PullsOrders, PullsListings, PullsStock, PullsCustomers, PullsPayments, PullsConversations, PullsInteractions,
    PullsFigures, PushesStock, PushesPrices, PushesListings, PushesFulfilments, PushesRefunds, PushesCancellations,
    PushesCustomers, ErasesCustomers, PushesOrders, PushesMovements, SendsEvents, SendsMessages, OpensTickets,
    AnswersConversations, Ships, StartsPayments, TakesPayments, ChargesTokens, ReceivesWebhooks, Authorizes,
)  # fmt: skip


def capabilities(connector: type[Connector]) -> tuple[str, ...]:
    """The names of what a connector can do, in the order of CAPABILITIES."""
    return tuple(capability.__name__ for capability in CAPABILITIES if issubclass(connector, capability))
