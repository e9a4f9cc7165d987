"""What happens in thirty days: shoppers, clerks, workers and trouble, each move drawn by the seed's dice.

A day has few moves, for the runs to be many: what matters is not how much is sold but in what order things meet.
Whoever moves calls the house's own verbs and jobs, and writes down what was promised to them (`Told`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finalmarket.channels.models import ChannelProduct
from finalmarket.integrations import inbox, pull
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import declared
from finalmarket.orders import fulfilment
from finalmarket.orders.drafts import LineDraft, OrderDraft, TenderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Fulfilment
from finalmarket.sandbox.faults import Fault, Faults
from finalmarket.sandbox.webhooks import Letter
from finalmarket.stock import ledger, policies
from finalmarket.stock.reserve import Request, Verdict, reserve
from tests.simulation.machine import Machine
from tests.simulation.town import PRICE, Account, Town

DAYS = 30
MOVES_A_DAY = (1, 3)
HOLD_SECONDS = (900, 7_200, 86_400)
SHARE_PROMPT, SHARE_LOST, MOST_COPIES, MOST_LETTERS = 0.5, 0.2, 3, 3
SHARES_OF_FAULTS, SHARE_IN_TROUBLE = (0.0, 0.1, 0.35), 0.6
SHARES_OF_TURNS = (0.0, 0.03, 0.06)
SHARES_OF_CUTS = (0.0, 0.1, 0.4)
LIKINGS = (0.2, 1.0, 1.0, 2.0)
LEFT_OUT = (Fault.MISSING_PAGE, Fault.STALE_READ)  # a list that did not tell all: the second look finds it
UNTRUE = (Fault.NOT_APPLIED, Fault.STALE_READ)  # a yes that was none: the sweep finds it, or the look for prices
MOST_VISITS = 10
ACTOR = "simulation"
Move = Callable[[], None]


@dataclass
class Hold:
    """A hold that a shopper was granted."""

    number: int
    channel: int
    variant: int
    units: int
    until: datetime


@dataclass
class Told:
    """What was promised, and to whom: it may not be lost, and it may not become more."""

    holds: list[Hold] = field(default_factory=list)
    received: dict[int, int] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)
    cancelled: set[tuple[str, str]] = field(default_factory=set)  # by account and order, on the platform
    letters: int = 0


class Play:
    """One run of one seed."""

    def __init__(self, machine: Machine, town: Town) -> None:
        self.machine, self.town, self.dice = machine, town, machine.dice
        self.there: dict[str, Any] = town.platforms(machine)
        self.told = Told()
        self.asked = 0
        self.look_back: dict[str, datetime] = {}  # accounts that may have shown us less than there was, and since when
        self.to_sweep: set[str] = set()  # accounts that may not have done what they said
        self.ends: list[tuple[datetime, Callable[[], None]]] = []  # of troubles
        # Every seed has a nature of its own: what is rare in one is frequent in another (swarm testing).
        self.share_of_faults = self.dice.choice(SHARES_OF_FAULTS)
        self.share_of_turns = self.dice.choice(SHARES_OF_TURNS)
        self.share_of_cuts = self.dice.choice(SHARES_OF_CUTS)
        for number, there in enumerate(self.there.values()):
            kinds = [kind for kind in Fault if self.dice.random() < 0.5] or [Fault.TIME_OUT]
            there.faults = Faults(machine.seed * 10 + number, self.share_of_faults, kinds)
        weighed = [(move, weight * self.dice.choice(LIKINGS)) for move, weight in self.moves()]
        self._moves = dict(weighed)
        self._meanwhile = {move: weight for move, weight in weighed if move not in (self.trouble, self.bring_mail)}

    def moves(self) -> Iterator[tuple[Move, int]]:
        """All moves, and how often each is made of 100."""
        yield self.buy_there, 20
        yield self.cancel_there, 3
        yield self.hold, 13
        yield self.buy_held, 5
        yield self.let_go, 3
        yield self.sell_at_till, 3
        yield self.receive, 7
        yield self.lose, 3
        yield self.reprice, 4
        yield self.allot, 4
        yield self.ship, 3
        yield self.bring_mail, 8
        yield self.work, 17
        yield self.tidy, 3
        yield self.trouble, 6

    def day(self) -> Iterator[None]:
        """A day, move after move."""
        for there in self.there.values():
            there.remember()  # what stale reads show
        moves = self.dice.randint(*MOVES_A_DAY)
        hours = sorted(self.dice.sample(range(24 * 60), moves))
        for before, minute in zip([0, *hours], hours, strict=False):
            self._wait(60.0 * (minute - before))
            self.move()
            yield
        self._wait(60.0 * (24 * 60 - hours[-1]))

    def _wait(self, seconds: float) -> None:
        """Time passes; what platforms kept from us is looked for within the hour, as every hour it is."""
        if seconds > 3600 and self.look_back:
            self.machine.pass_time(600)
            self.look_again()
            seconds -= 600
        self.machine.pass_time(max(1.0, seconds))
        for end, mend in [one for one in self.ends if one[0] <= self.machine.now()]:
            self.ends.remove((end, mend))
            mend()

    def move(self) -> None:
        """Somebody does something; while a platform or the database is asked, others may act."""
        self.machine.otherwise, self.machine.share_of_turns = self.meanwhile, self.share_of_turns
        move = self._drawn(self._moves)
        self.machine.note(move.__name__)
        self.machine.counts["moves"] += 1
        with self.machine.process():
            move()
        if self.dice.random() < SHARE_PROMPT:
            self.machine.pass_time(60)
            with self.machine.process():
                self.bring_mail()
        self.machine.otherwise = None

    def meanwhile(self) -> None:
        """Somebody else acts while somebody waits."""
        move = self._drawn(self._meanwhile)
        self.machine.note("meanwhile", move.__name__)
        self.machine.counts["moves"] += 1
        with self.machine.process():
            move()

    def _drawn(self, moves: Mapping[Move, float]) -> Move:
        return self.dice.choices(list(moves), list(moves.values()))[0]

    # Shoppers.

    def buy_there(self) -> None:
        """Somebody buys on a platform; what it shows goes down at once."""
        account = self.dice.choice(self.town.accounts)
        there = self.there[account.name]
        shown = [sku for sku, units in there.shown_stock().items() if units > 0]
        if shown and account.name not in self.machine.down:
            number = there.order((self.dice.choice(shown), self.dice.randint(1, 3)))
            self.machine.note("sold", account.name, number)

    def cancel_there(self) -> None:
        """A shopper changes their mind about an order on a platform."""
        account = self.dice.choice(self.town.accounts)
        there = self.there[account.name]
        waiting = [key for key, order in there.sold().items() if not order["is_cancelled"] and not order["fulfilments"]]
        if waiting and account.name not in self.machine.down:
            number = self.dice.choice(waiting)
            there.cancel_order(number)
            self.told.cancelled.add((account.name, number))
            self.machine.note("called off", account.name, number)

    def hold(self) -> None:
        """Somebody puts something into a cart of ours."""
        channel, seconds = self.dice.choice((self.town.web, self.town.app)), self.dice.choice(HOLD_SECONDS)
        variant, units = self.dice.choice(list(self.town.goods)), self.dice.randint(1, 4)
        verdict = self._ask(Request(self._name("cart"), channel, ((variant, units),), hold_seconds=seconds))
        if verdict.outcome == "granted":
            until = self.machine.now() + timedelta(seconds=seconds)
            self.told.holds.append(Hold(verdict.reservation_id or 0, channel, variant, units, until))

    def _ask(self, request: Request) -> Verdict:
        verdict = reserve([request], actor=ACTOR)[0]
        self.machine.note("asked", request.lines, verdict.outcome, verdict.available)
        return verdict

    def buy_held(self) -> None:
        """Somebody pays for what is in the cart, perhaps too late."""
        if not self.told.holds:
            return
        held = self.told.holds.pop(self.dice.randrange(len(self.told.holds)))
        self._take(held.channel, held.variant, held.units, reservation_id=held.number)

    def let_go(self) -> None:
        """Somebody empties the cart."""
        if self.told.holds:
            held = self.told.holds.pop(self.dice.randrange(len(self.told.holds)))
            self.machine.note("let go", ledger.release([held.number], actor=ACTOR))

    def sell_at_till(self) -> None:
        """Somebody has taken something off the shelf and paid: it cannot be refused."""
        self._take(self.town.till, self.dice.choice(list(self.town.goods)), self.dice.randint(1, 2), happened=True)

    def _take(self, channel: int, variant: int, units: int, **facts: Any) -> None:
        name = self._name("order")
        line = LineDraft(sku=self.town.goods[variant], quantity=units, unit_price=PRICE)
        draft = OrderDraft(
            channel_id=channel, external_id=name, currency="EUR", placed_at=self.machine.now(), lines=(line,),
            tenders=(TenderDraft("card", units * PRICE, name),), **facts,
        )  # fmt: skip
        try:
            taken = take(draft, actor=ACTOR)
        except UserError as error:
            self.machine.note("not taken", error)
            return
        self.told.orders.append(name)
        self.machine.note("taken", name, taken.outcome, taken.problem)

    def _name(self, kind: str) -> str:
        self.asked += 1
        return f"{kind} {self.asked}"

    # Clerks.

    def receive(self) -> None:
        """Goods arrive."""
        variant, units = self.dice.choice(list(self.town.goods)), self.dice.randint(1, 8)
        ledger.receive([ledger.Receipt(variant, self.dice.choice(self.town.places), units)], actor=ACTOR)
        self.told.received[variant] = self.told.received.get(variant, 0) + units

    def lose(self) -> None:
        """A clerk finds less than there should be, perhaps less than is promised."""
        variant, place = self.dice.choice(list(self.town.goods)), self.dice.choice(self.town.places)
        on_hand, _ = ledger.balances([variant]).get((variant, place), (0, 0))
        if on_hand:
            ledger.adjust(variant, place, -self.dice.randint(1, min(4, on_hand)), reason="missing", actor=ACTOR)

    def reprice(self) -> None:
        """The merchant sets another price on a platform."""
        account = self.dice.choice(self.town.accounts)
        listing = ChannelProduct.objects.get(pk=self.dice.choice(list(account.keys)))
        listing.set_price(Decimal(self.dice.randint(500, 2500)) / 100)

    def allot(self) -> None:
        """The merchant changes how much of something a channel may sell."""
        channel = self.dice.choice([self.town.web, self.town.app, *(one.channel for one in self.town.accounts)])
        rules: list[dict[str, Any]] = [
            {"fence_quantity": self.dice.randint(0, 4), "lends": self.dice.random() < 0.5}, {"borrows": True},
            {"buffer": self.dice.randint(0, 3)}, {"cap": self.dice.choice([None, 3, 8])},
            {"percent": self.dice.choice([None, 50])},
        ]  # fmt: skip
        rule = self.dice.choice(rules)
        try:
            policies.set_policy(self.dice.choice(list(self.town.goods)), channel, actor=ACTOR, **rule)
        except UserError as error:
            self.machine.note("not allotted", error)

    def ship(self) -> None:
        """A parcel leaves."""
        parcel = Fulfilment.objects.filter(state="pending").order_by("pk").first()
        if parcel is not None:
            try:
                fulfilment.ship(parcel.pk, actor=ACTOR, carrier="DHL", tracking_number=f"T{parcel.pk}")
            except UserError as error:
                self.machine.note("not shipped", error)

    # The post, and workers.

    def bring_mail(self) -> None:
        """Some letters of the platforms come in: some twice, some never, in any order."""
        for account in self.town.accounts:
            sender = self.there[account.name].sender
            letters, sender.letters = sender.letters, []
            self.dice.shuffle(letters)
            for letter in letters[:MOST_LETTERS]:
                if self.dice.random() >= SHARE_LOST:
                    for _ in range(self.dice.randint(1, MOST_COPIES)):
                        self._put_in(account, letter)

    def _put_in(self, account: Account, letter: Letter) -> None:
        status = inbox.receive(account.token, letter.url, dict(letter.headers), letter.body)
        self.told.letters += status == inbox.TAKEN
        self.machine.note("letter", account.name, letter.name, status)

    def work(self) -> None:
        """A worker does a job for an account, often for one that is in trouble."""
        troubled = self.machine.down | self.machine.locked_out
        choice = [account for account in self.town.accounts if account.name in troubled and self.dice.random() < 0.5]
        account = self.dice.choice(choice or self.town.accounts)
        jobs = (
            "integrations.push",
            "integrations.pull",
            "integrations.inbox",
            "integrations.notices",
            "integrations.drift",
            "integrations.prices",
        )
        self.job(self.dice.choices(jobs, (8, 6, 4, 3, 2, 2))[0], account)

    def job(self, name: str, account: Account, **arguments: Any) -> None:
        self.machine.note("job", name, account.name)
        self.machine.counts["jobs"] += 1
        counts = self.there[account.name].faults.counts
        left_out, untrue = _met(counts, LEFT_OUT), _met(counts, UNTRUE)
        if self.dice.random() < self.share_of_cuts:
            room = self.dice.choice([f"{name.rpartition('.')[2]}.", "http."])
            self.machine.cut_at = (room, self.dice.randint(1, MOST_VISITS))
        if name == "integrations.pull":
            arguments.setdefault("stream", "orders")
        try:
            declared()[name].run(integration=account.number, **arguments)
        finally:
            self.machine.cut_at = None
            if _met(counts, LEFT_OUT) > left_out:
                self.look_back.setdefault(account.name, self.machine.now() - pull.LOOK_BACK)
            if _met(counts, UNTRUE) > untrue:
                self.to_sweep.add(account.name)

    def tidy(self) -> None:
        """A worker does what comes round by itself."""
        name = self.dice.choice(["stock.expire_holds", "orders.bring_in_step", "stock.refresh_alerts"])
        self.machine.note("job", name)
        declared()[name].run()

    def look_again(self) -> None:
        """The hourly second look, for accounts at which it can find anything."""
        for account in self.town.accounts:
            since = self.look_back.pop(account.name, None)
            if since is None:
                continue
            integration = ChannelIntegration.objects.get(pk=account.number)
            counts = self.there[account.name].faults.counts
            before = _met(counts, LEFT_OUT)
            run = pull.backfill(integration, since)
            self.machine.note("looked back", account.name, run and run.outcome)
            if run is None or run.outcome not in ("done", "partly") or _met(counts, LEFT_OUT) > before:
                self.look_back[account.name] = since

    # Trouble.

    def trouble(self) -> None:
        """Something begins to go wrong, for a while."""
        account = self.dice.choice(self.town.accounts)
        kind = self.dice.choice(["down", "faulty", "locked out"])
        self.machine.note("trouble", account.name, kind)
        self.machine.counts[f"trouble: {kind}"] += 1
        until = self.machine.now() + timedelta(hours=self.dice.randint(6, 72))
        if kind == "down":
            self.machine.down.add(account.name)
            self.ends.append((until, lambda: self.machine.down.discard(account.name)))
        elif kind == "faulty":
            self.there[account.name].faults.share = SHARE_IN_TROUBLE
            self.ends.append((until, lambda: self._calm(account)))
        else:
            self.machine.locked_out.add(account.name)
            self.ends.append((until, lambda: self.let_in(account)))

    def _calm(self, account: Account) -> None:
        self.there[account.name].faults.share = self.share_of_faults

    def let_in(self, account: Account) -> None:
        """A person renews the credentials, and has the account go on."""
        self.machine.locked_out.discard(account.name)
        integration = ChannelIntegration.objects.get(pk=account.number)
        if integration.status == ChannelIntegration.Status.NEEDS_ATTENTION:
            integration.resume()


def _met(counts: Mapping[Fault, int], kinds: Sequence[Fault]) -> int:
    return sum(counts[kind] for kind in kinds)
