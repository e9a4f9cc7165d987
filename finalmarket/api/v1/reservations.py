"""Reservations: units held for a while, turned into promises, given back; by the fast path of the stock room.

The Idempotency-Key is the reservation's own key: asked again under it, the answer is the very same reservation, as long
as it holds. So a reservation needs no row of the call; the ledger says which key of the API it was asked with.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.access.keys import Caller
from finalmarket.api.door import Done, read, write
from finalmarket.api.problems import Problem, ProblemBody, body_of, fault, problem_of
from finalmarket.api.quick import Given, quick
from finalmarket.api.v1.goods import Goods, locations_of, of_channels, variant_of, variants_of
from finalmarket.api.v1.shapes import Key, Number, Said, source_of
from finalmarket.kernel.errors import sentence
from finalmarket.orders.models import OrderPromise
from finalmarket.stock import desk, ledger, shortfall
from finalmarket.stock.models import Reservation as ReservationRow
from finalmarket.stock.models import StockLocation
from finalmarket.stock.refusals import MOST_UNITS
from finalmarket.stock.reserve import Request, Verdict

router = Router(tags=["stock"])
HOLD_SECONDS, MOST_HOLD_SECONDS = 900, 7 * 86_400
MOST_KEY_CHARACTERS = 200
MOST_LINES, MOST_AT_ONCE = 200, 1_000
RETRY_SECONDS = "1"


class LineWanted(Goods):
    """So many units of a variant."""

    quantity: int = Field(ge=1, le=MOST_UNITS)


class Wish(Said):
    """Units of one or more variants, for a channel: all lines or none."""

    channel: Number
    lines: list[LineWanted] = Field(min_length=1, max_length=MOST_LINES)
    location: Number | None = Field(None, description="From there alone; by default as the channel's sources go")
    hold_seconds: int = Field(HOLD_SECONDS, ge=1, le=MOST_HOLD_SECONDS)


class KeyedWish(Wish):
    """One of many wishes. `key` takes the place of the Idempotency-Key for it; by default that and its place."""

    key: str = Field("", max_length=160, pattern=r"^[\x21-\x7e]*$")


class Wishes(Said):
    """Many wishes, in their order; each is granted or refused by itself."""

    items: list[KeyedWish] = Field(min_length=1, max_length=MOST_AT_ONCE)


class LineHeld(BaseModel):
    """So many units of a variant, as they were asked for."""

    variant: int
    quantity: int


class Held(BaseModel):
    """A reservation as it was granted. How it stands is told by `GET /stock/reservations/{id}`."""

    id: int
    channel: int
    location: int | None
    lines: list[LineHeld]
    hold_seconds: int


class HeldEach(BaseModel):
    """What became of one wish: held (`again`: it was before), or refused for the `problem`."""

    state: Literal["held", "again", "refused"]
    reservation: Held | None
    problem: ProblemBody | None


class AllHeld(BaseModel):
    """What became of each wish, in their order."""

    items: list[HeldEach]


class ReservationLine(BaseModel):
    """What is held or promised at one location. `quantity`: still open; `short`: promised, and found missing."""

    variant: int
    location: int | None
    promised: int
    quantity: int
    short: int
    is_backorder: bool
    state: Literal["held", "confirmed", "released", "expired", "closed"]


class Reservation(BaseModel):
    """A reservation as it stands: held until `expires_at`, confirmed (a promise), released, expired, or closed."""

    id: int
    channel: int
    state: Literal["held", "confirmed", "released", "expired", "closed"]
    expires_at: AwareDatetime | None
    created_at: AwareDatetime
    lines: list[ReservationLine]


class Confirmation(Said):
    """For what the units are promised."""

    reference: str = Field("", max_length=100, description="Such as the number of your order")


class GivingBack(Said):
    """Why it is given back."""

    reason: str = Field("", max_length=200)


WISH = {"channel": 1, "lines": [{"sku": "TEA-100", "quantity": 2}], "hold_seconds": 900}
HELD = {"id": 1, "channel": 1, "location": None, "lines": [{"variant": 7, "quantity": 2}], "hold_seconds": 900}
RESERVATION = {
    "id": 1, "channel": 1, "state": "held", "expires_at": "2026-05-04T12:15:00Z", "created_at": "2026-05-04T12:00:00Z",
    "lines": [{"variant": 7, "location": 1, "promised": 2, "quantity": 2, "short": 0, "is_backorder": False,
               "state": "held"}],
}  # fmt: skip
CONFIRMED = {**RESERVATION, "state": "confirmed"}


@dataclass(frozen=True, slots=True)
class Asked(Request):
    """A request of the API: how long it holds is part of what is asked for, as everything in the body of a call."""

    @property
    def body_hash(self) -> int:
        """A signed 64-bit number that two requests share only when they ask for the same."""
        body = repr((self.channel_id, self.lines, int(self.mode), self.location_id, self.hold_seconds)).encode()
        return int.from_bytes(blake2b(body, digest_size=8).digest(), "big", signed=True)


@dataclass(frozen=True, slots=True)
class Named:
    """What wishes that came together name: variants, and the locations that a key of these channels may see."""

    variants: dict[int | str, int]
    locations: Mapping[frozenset[int], set[int]]

    def may_take_from(self, caller: Caller, location: int | None) -> bool:
        """Whether the caller may have units from there; whoever may touch all channels may, whatever they name."""
        return location is None or not caller.channels or location in self.locations[caller.channels]


def _named(asked: Sequence[tuple[Caller, Wish]]) -> Named:
    """Look up what they name; one statement for the locations of each kind of bound key, none where none is named."""
    wanted: dict[frozenset[int], set[int]] = {}
    for caller, told in asked:
        if told.location is not None and caller.channels:
            wanted.setdefault(caller.channels, set()).add(told.location)
    seen = {
        channels: set(locations_of(channels).filter(pk__in=places).values_list("pk", flat=True))
        for channels, places in wanted.items()
    }
    return Named(variants_of([line for _, told in asked for line in told.lines]), seen)


def _reserve_for_each(asked: Sequence[tuple[Caller, str, Wish]]) -> list[Given | Exception]:
    """Reserve for calls that came at once, each by itself."""
    named = _named([(caller, told) for caller, _, told in asked])
    given: dict[int, Given | Exception] = {}
    wanted: dict[int, tuple[str, Asked]] = {}
    for place, (caller, token, told) in enumerate(asked):
        try:
            wanted[place] = (_actor(caller), _asked(caller, key_of(caller, token), told, named))
        except Problem as error:
            given[place] = error
    with _desk_open():
        verdicts = desk.settle_for_each(list(wanted.values()))
    given.update({place: _given(verdict, wanted[place][1]) for place, verdict in zip(wanted, verdicts, strict=True)})
    return [given[place] for place in range(len(asked))]


def _given(verdict: Verdict | Exception, asked: Asked) -> Given | Exception:
    """What is answered to one of them, whatever became of the others."""
    try:
        if isinstance(verdict, Exception):
            with _desk_open():
                raise verdict
        held = _held(verdict, asked)
    except Exception as error:
        return error
    return Given(held, verdict.outcome == "duplicate", f"/api/v1/stock/reservations/{held.id}")


@quick(
    router, "/stock/reservations", scope="stock:write", status=201, said=Wish, answer=Held, example=HELD, body=WISH,
    may_be=["not-enough"], for_many=_reserve_for_each,
)  # fmt: skip
def reserve_stock(caller: Caller, token: str, told: Wish) -> Given:
    """Hold units for a while: all lines or none. Where they cannot be had, 409 says how many can. Asked again under the
    same Idempotency-Key it is the same reservation, until it is released or runs out; then the key holds anew."""
    (given,) = _reserve_for_each([(caller, token, told)])
    if isinstance(given, Exception):
        raise given
    return given


@quick(
    router, "/stock/reservations/bulk", scope="stock:write", status=200, said=Wishes, answer=AllHeld,
    example={"items": [{"state": "held", "reservation": HELD, "problem": None}]},
    body={"items": [{**WISH, "key": "cart-81"}]},
)  # fmt: skip
def reserve_stock_in_bulk(caller: Caller, token: str, told: Wishes) -> Given:
    """Up to 1,000 wishes at once, settled in their order, each answered by itself."""
    named = _named([(caller, one) for one in told.items])
    found: dict[int, HeldEach] = {}
    asked: dict[int, Asked] = {}
    for place, one in enumerate(told.items):
        try:
            key = key_of(caller, one.key or f"{sha256(token.encode()).hexdigest()}/{place}")
            asked[place] = _asked(caller, key, one, named, f"body.items.{place}")
        except Problem as error:
            found[place] = _refused(error)
    for place, verdict in zip(asked, _settle(caller, list(asked.values())), strict=True):
        try:
            held = _held(verdict, asked[place], f"body.items.{place}")
        except Problem as error:
            found[place] = _refused(error)
            continue
        state: Literal["held", "again"] = "again" if verdict.outcome == "duplicate" else "held"
        found[place] = HeldEach(state=state, reservation=held, problem=None)
    return Given(AllHeld(items=[found[place] for place in range(len(told.items))]))


@read(router, "/stock/reservations/{reservation}", scope="stock:read", answer=Reservation, example=RESERVATION)
def get_reservation(request: HttpRequest, reservation: Key) -> Reservation:
    """Show how a reservation stands."""
    return _shown(_reservation(request, reservation))


@write(
    router, "POST", "/stock/reservations/{reservation}/confirm", scope="stock:write", status=200, answer=Reservation,
    example=CONFIRMED, body={"reference": "order 4711"},
)  # fmt: skip
def confirm_reservation(request: HttpRequest, reservation: Key, told: Confirmation) -> Done:
    """Turn a hold into a promise that does not end by itself. One that has run out or lost units is taken anew, if they
    are free; else it is refused. Confirmed again, nothing changes."""
    _own(request, reservation)
    said = ledger.confirm([reservation], actor=source_of(request), reference=told.reference)[reservation]
    if said != "confirmed":
        raise Problem("refused", f"{said.removeprefix('refused: ').capitalize()}.")
    return _done(request, reservation)


@write(
    router, "POST", "/stock/reservations/{reservation}/release", scope="stock:write", status=200, answer=Reservation,
    example={**RESERVATION, "state": "released"}, body={"reason": "cart emptied"},
)  # fmt: skip
def release_reservation(request: HttpRequest, reservation: Key, told: GivingBack) -> Done:
    """Give a hold back, or a promise that was confirmed here. What has ended already stays as it is."""
    row = _own(request, reservation)
    shortfall.let_go(row, actor=source_of(request), reason=told.reason)
    return _done(request, reservation)


@write(
    router, "POST", "/stock/reservations/{reservation}/fulfil", scope="stock:write", status=200, answer=Reservation,
    example={**RESERVATION, "state": "closed"}, body={"reference": "order 4711"},
)  # fmt: skip
def fulfil_reservation(request: HttpRequest, reservation: Key, told: Confirmation) -> Done:
    """Let confirmed units leave the shelf, for orders that are kept elsewhere. Done again, nothing changes."""
    row = _own(request, reservation)
    if row.state not in ("confirmed", "closed"):
        raise Problem("refused", f"Reservation {reservation} is {row.state}.", "Confirm it first, or reserve anew.")
    lines = [(reservation, position, None) for position in row.lines.values_list("position", flat=True)]
    ledger.close("fulfil", lines, actor=source_of(request), reference=told.reference)
    return _done(request, reservation)


def key_of(caller: Caller, token: str) -> str:
    """Return the key of a reservation: the caller's own, whatever words others use."""
    own = f"{caller.family.hex}:"
    if len(own) + len(token) <= MOST_KEY_CHARACTERS:
        return own + token
    return f"{own}sha256:{sha256(token.encode()).hexdigest()}"


def _asked(caller: Caller, key: str, told: Wish, named: Named, where: str = "body") -> Asked:
    if not caller.may_touch(told.channel):
        raise Problem("not-allowed", f"{where}.channel: the key is not for sales channel {told.channel}.")
    if not named.may_take_from(caller, told.location):
        raise Problem("not-allowed", f"{where}.location: the key is not for stock location {told.location}.")
    lines = tuple(
        (variant_of(line, named.variants, f"{where}.lines.{n}"), line.quantity) for n, line in enumerate(told.lines)
    )
    return Asked(key, told.channel, lines, hold_seconds=told.hold_seconds, location_id=told.location)


def _settle(caller: Caller, asked: list[Asked]) -> list[Verdict]:
    with _desk_open():
        return desk.settle(asked, actor=_actor(caller))


def _actor(caller: Caller) -> str:
    return f"api:{caller.name}"


@contextmanager
def _desk_open() -> Iterator[None]:
    """Within it a desk that takes nothing now is a Problem."""
    try:
        yield
    except (desk.DeskFull, desk.DeskClosed, desk.DeskTimeout, desk.DeskDown) as error:
        raise Problem("away", sentence(str(error)), headers={"Retry-After": RETRY_SECONDS}) from error


def _held(verdict: Verdict, asked: Asked, where: str = "body") -> Held:
    """Return what is held. Raises Problem for what is not."""
    match verdict.outcome:
        case "granted" | "duplicate":
            lines = [LineHeld(variant=variant, quantity=units) for variant, units in asked.lines]
            return Held(
                id=verdict.reservation_id or 0, channel=asked.channel_id, location=asked.location_id, lines=lines,
                hold_seconds=asked.hold_seconds,
            )  # fmt: skip
        case "key_reused":
            raise Problem("other-call", "The key came before with another body, and what it holds still stands.")
        case "invalid":
            raise _invalid(verdict, where)
        case "again":
            raise Problem("away", "The stock room is crowded.", headers={"Retry-After": RETRY_SECONDS})
    return _not_enough(verdict, asked, where)


def _invalid(verdict: Verdict, where: str) -> Problem:
    if verdict.reason.startswith("line "):
        place, _, what = verdict.reason.removeprefix("line ").partition(": ")
        return fault(f"{where}.lines.{place}", what, "Look at the line; nothing was held.")
    return fault(f"{where}.channel", verdict.reason, "Use the number of one of your channels.")


def _not_enough(verdict: Verdict, asked: Asked, where: str) -> Held:
    if verdict.available is None:
        raise Problem("refused", f"{verdict.reason.capitalize()}.")
    if asked.location_id is not None and not StockLocation.objects.filter(pk=asked.location_id).exists():
        raise fault(f"{where}.location", f"there is no stock location {asked.location_id}", "Leave it out.")
    raise Problem("not-enough", f"{verdict.reason.capitalize()}.", stands={"available": verdict.available})


def _refused(error: Problem) -> HeldEach:
    return HeldEach(state="refused", reservation=None, problem=body_of(problem_of(error)))


def _reservation(request: HttpRequest, number: int) -> ReservationRow:
    rows = of_channels(request, ReservationRow.objects.filter(pk=number))
    found = rows.prefetch_related("lines").first()
    if found is None:
        raise Problem("not-found", f"There is no reservation {number} that this key may see.")
    return found


def _own(request: HttpRequest, number: int) -> ReservationRow:
    """Return a reservation that no order of ours stands behind: an order's own is changed by the order's calls."""
    row = _reservation(request, number)
    ledger.lock(row.lines.values_list("variant_id", flat=True))
    # An order that was taking it over has taken it by now: it held the same pools.
    order = OrderPromise.objects.filter(reservation=row).values_list("order_line__order", flat=True).first()
    if order is not None:
        raise Problem("refused", f"Reservation {number} belongs to order {order}.", "Use the calls of that order.")
    row.refresh_from_db()
    return row


def _done(request: HttpRequest, number: int) -> Done:
    return Done(f"reservation {number}", _shown(_reservation(request, number)))


def _shown(row: ReservationRow) -> Reservation:
    lines = sorted(row.lines.all(), key=lambda one: one.position)
    words = ("promised", "quantity", "short", "is_backorder", "state")
    return Reservation.model_validate(
        {
            "id": row.pk, "channel": row.sales_channel_id, "state": row.state, "expires_at": row.expires_at,
            "created_at": row.created_at, "lines": [
                {"variant": one.variant_id, "location": one.location_id, **{word: getattr(one, word) for word in words}}
                for one in lines
            ],
        }
    )  # fmt: skip
