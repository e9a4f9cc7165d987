"""Trade over a platform that takes payments: buyers pay orders of ours there, we take the money when goods leave, give
it back when they return, and let it go when an order is cancelled; and the merchant does as much by hand over there.

Each order has a story: steps that follow each other as soon as the one before has shown on our side.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.connectors.contract import PullsOrders, PullsPayments, TakesPayments
from finalmarket.kernel import clock
from finalmarket.orders import aftersales, fulfilment, returns
from finalmarket.orders.drafts import LineDraft, OrderDraft, TenderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, OrderLine, Payment, Refund
from finalmarket.sandbox import abilities
from finalmarket.stock import ledger
from tests.laws.border_part import Part

CURRENCY = "EUR"
ACTOR = "game"
STORIES = (
    ("ship",), ("ship", "return all"), ("ship", "return one", "return one"), ("cancel",), ("ship", "return one"),
    ("let go there",), ("ship", "refund there"), ("ship", "dispute there"), ("take there", "ship"),
    ("take there", "see it taken", "cancel"), ("ship", "take there", "return all"),
    ("ship", "refund there", "refund there"),
)  # fmt: skip
# How our checkout knows of the payment when the order is taken: it saw the answer, it did not, it knows nothing of it;
# or the payment is there before the order is.
WAYS = ("seen", "unseen", "untold", "early")
NAMED = "WEB-"
ORDERS_IN_A_RUSH = 40
STORIES_AT_ONCE = 12


@dataclass
class Story:
    """An order of ours, its payment there, and what is still to happen."""

    order: str
    payment: str
    steps: list[str] = field(default_factory=list)


class Payments(Part):
    """Buyers pay there for what is sold here."""

    needs = (TakesPayments, PullsPayments)
    never = (PullsOrders,)
    ability = abilities.TakesMoney

    def open(self) -> None:
        self.count = 0
        self.stories: list[Story] = []
        self.late: list[OrderDraft] = []
        self.disputed: set[str] = set()
        self.refunded_there: Counter[str] = Counter()  # in cents, by order
        product = Product.objects.create(title="A thing", slug="thing")
        self.thing = Variant.objects.create(product=product, sku="THING")
        VariantPrice.objects.create(variant=self.thing, currency=CURRENCY, amount=Decimal("10.00"))

    def trade(self) -> None:
        dice = self.game.dice
        if self.late and dice.random() < 0.3:
            take(self.late.pop(0), actor=ACTOR)
        if dice.random() < 0.6:
            self._sell()
        for story in dice.sample(self.stories, min(STORIES_AT_ONCE, len(self.stories))):
            if self._goes_on(story):
                break

    def rush(self) -> None:
        for _ in range(ORDERS_IN_A_RUSH):
            self._sell()

    def _sell(self) -> None:
        """Somebody buys one or two things here, and agrees to the payment there."""
        self.count += 1
        dice, name = self.game.dice, f"{NAMED}{self.count}"
        line = LineDraft(
            sku=self.thing.sku, quantity=dice.randint(1, 2), unit_price=Decimal(dice.randint(100, 9999)) / 100
        )
        ledger.receive([ledger.Receipt(self.thing.pk, self.game.place.pk, line.quantity)], actor=ACTOR)
        amount, way = line.quantity * line.unit_price, dice.choice(WAYS)
        with self.game.stand_in.lock:
            payment = self.there.hold(amount, CURRENCY, order_id=name, email=f"buyer-{self.count}@example.com")
        state = {"seen": "authorised", "unseen": "pending"}.get(way)
        draft = OrderDraft(
            channel_id=self.game.channel.pk, external_id=name, currency=CURRENCY, placed_at=clock.now(), lines=(line,),
            tenders=(TenderDraft("card", amount, payment, state),) if state else (),
        )  # fmt: skip
        self.late.append(draft) if way == "early" else take(draft, actor=ACTOR)
        self.stories.append(Story(name, payment, list(dice.choice(STORIES))))

    # Stories.

    def _goes_on(self, story: Story) -> bool:
        """Let the next step happen if its time has come; whether it did."""
        act = getattr(self, "_" + story.steps[0].replace(" ", "_"))
        order = Order.objects.filter(source="channel", external_id=story.order).first()
        if order is None or not act(story, order):
            return False
        del story.steps[0]
        if not story.steps:
            self.stories.remove(story)
        return True

    def _ship(self, story: Story, order: Order) -> bool:
        parcel = order.fulfilments.filter(state="pending").first()
        if parcel is None or self._standing(order) not in ("authorised", "captured"):
            return False
        fulfilment.ship(parcel.pk, actor=ACTOR)
        return True

    def _cancel(self, story: Story, order: Order) -> bool:
        if self._standing(order) not in ("authorised", "captured"):
            return False
        aftersales.cancel(order.pk, reason="changed their mind", actor=ACTOR)
        return True

    def _return_one(self, story: Story, order: Order) -> bool:
        line = OrderLine.objects.get(order=order)
        left = line.quantity - line.returned_quantity
        # What comes back before the money was taken makes the order cheaper; something is left to be taken.
        return left == 0 or ((left > 1 or self._standing(order) == "captured") and self._return(order, line, 1))

    def _return_all(self, story: Story, order: Order) -> bool:
        line = OrderLine.objects.get(order=order)
        return self._standing(order) == "captured" and self._return(order, line, line.quantity)

    def _return(self, order: Order, line: OrderLine, units: int) -> bool:
        key = f"{order.external_id}-{line.returned_quantity}"
        returns.take_return(order.pk, [returns.Back(line.pk, units)], key=key, reason="returned", actor=ACTOR)
        return True

    def _standing(self, order: Order) -> str:
        """How the order's payment stands in our books; "" while there is none."""
        return str(order.payments.values_list("state", flat=True).first() or "")

    def _see_it_taken(self, story: Story, order: Order) -> bool:
        return self._standing(order) == "captured"

    def _take_there(self, story: Story, order: Order) -> bool:
        with self.game.stand_in.lock:
            if self.there.money()[story.payment].state == "held":
                self.there.take_by_hand(story.payment)
        return True

    def _let_go_there(self, story: Story, order: Order) -> bool:
        with self.game.stand_in.lock:
            self.there.let_go_by_hand(story.payment)
        return True

    def _refund_there(self, story: Story, order: Order) -> bool:
        with self.game.stand_in.lock:
            money = self.there.money()[story.payment]
            if money.state != "taken":
                return False
            part = max(Decimal("0.01"), (money.taken / 3).quantize(Decimal("0.01")))
            part = min(part, money.taken - money.given_back)
            self.there.refund_by_hand(story.payment, part)
        self.refunded_there[story.order] += int(part * 100)
        return True

    def _dispute_there(self, story: Story, order: Order) -> bool:
        with self.game.stand_in.lock:
            if self.there.money()[story.payment].state != "taken":
                return False
            self.there.dispute(story.payment)
        self.disputed.add(story.order)
        return True

    # The reckoning.

    def waits(self) -> Iterator[str]:
        while self.late:
            take(self.late.pop(0), actor=ACTOR)
        yield from ()

    def wrong(self) -> Iterator[str]:
        there, moved = self.there.money(), self._moved()
        rows = Payment.objects.filter(external_id__in=there).select_related("order")
        ours: dict[str, list[Payment]] = defaultdict(list)
        for row in rows:
            ours[row.external_id].append(row)
        refunds: dict[int, list[Decimal]] = defaultdict(list)
        for payment, amount in Refund.objects.filter(payment__in=rows).values_list("payment", "amount"):
            refunds[payment].append(amount)
        for name, money in sorted(there.items()):
            found = ours[name]
            if len(found) == 1:
                yield from self._payment_wrong(found[0], money, moved[name], sorted(refunds[found[0].pk]))
            elif found or money.state != "let_go":  # one that came to nothing need not be known
                yield f"payment {name} of order {money.order_id} is known {len(found)} times"
        for order in Order.objects.filter(external_id__startswith=NAMED).exclude(problem=""):
            if order.external_id not in self.disputed:
                yield f"order {order.external_id} says: {order.problem}"
        for name in self.disputed - set(Order.objects.exclude(problem="").values_list("external_id", flat=True)):
            yield f"nobody says that the payment of order {name} is disputed"

    def _moved(self) -> dict[str, dict[str, list[Decimal]]]:
        moved: dict[str, dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
        for move in self.there.moves():
            moved[move.payment][move.what].append(move.amount)
        return moved

    def _payment_wrong(
        self, ours: Payment, money: abilities.Money, moved: dict[str, list[Decimal]], refunds: list[Decimal]
    ) -> Iterator[str]:
        name = f"payment {ours.external_id} of order {ours.order.external_id}"
        state = {"held": "authorised", "taken": "captured", "let_go": "voided"}[money.state]
        if ours.state != state:
            yield f"{name} is {ours.state} here, {money.state} there"
        taken = ours.amount if ours.state == "captured" else Decimal(0)
        if sum(moved["taken"]) != taken:
            yield f"{name}: {moved['taken']} were taken, it should be {taken}"
        # Where money was taken in parts, what is left over is let go in the end.
        let_go = len(moved["let_go"])
        if let_go > 1 or ((let_go == 1) != (ours.state == "voided") and ours.state != "captured"):
            yield f"{name} was let go {let_go} times, it is {ours.state}"
        if sorted(moved["given_back"]) != refunds:
            yield f"{name}: {sorted(moved['given_back'])} were given back there, {refunds} here"
        if (money.taken, money.given_back) != (taken, ours.refunded):
            yield f"{name}: {money.taken} and {money.given_back} stand there, {taken} and {ours.refunded} here"
        if money.state == "taken" and money.taken - money.given_back != self._kept(ours.order):
            yield f"{name}: {money.taken - money.given_back} was kept, {self._kept(ours.order)} is what was sold"
        shipped, due = ours.order.state == "fulfilled", ours.order.total
        if shipped and money.state == "held" and due > 0:
            yield f"{name} was not taken, though its goods have left"

    def _kept(self, order: Order) -> Decimal:
        """What the merchant is to have of an order in the end: the price of what was kept, less what was given back by
        hand. Reckoned from what happened, not from the books of money."""
        if order.state == "cancelled":
            return Decimal(0)
        line = OrderLine.objects.get(order=order)
        kept: Decimal = (line.quantity - line.returned_quantity) * line.unit_price
        return kept - Decimal(self.refunded_there[order.external_id]) / 100

    def happened(self) -> Counter[str]:
        """How much money moved, by what became of it."""
        return Counter(move.what for move in self.there.moves())
