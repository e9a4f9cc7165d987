"""What changes here reaches the platform: the newest value, once, and no fault of one record stops another."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connections, transaction
from django.db.models import F

from finalmarket.channels.models import ChannelProduct, DueChange
from finalmarket.connectors.errors import OutcomeUnknown
from finalmarket.connectors.platforms.fake import Fake as FakeConnector
from finalmarket.connectors.records import ListingRef
from finalmarket.integrations import pull, settling
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.links import link_listing
from finalmarket.integrations.models import (
    ChannelIntegration,
    DeadLetter,
    IntegrationHealth,
    ListingLink,
    PlaceMapping,
    PushRecord,
)
from finalmarket.integrations.push import Pushed, push, replay
from finalmarket.kernel import clock
from finalmarket.sandbox.faults import Fault
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation
from tests.integrations.stalls import Account
from tests.stock.shelves import hold

LATER = timedelta(minutes=10)


def tell(account: Account) -> Pushed:
    """Let a worker push, after the rest that every listing gets."""
    DueChange.objects.filter(claimed_version=F("settled_version")).update(claimed_until=None)
    return push(account.integration.pk)


def shown(account: Account) -> dict[str, int]:
    """What the platform shows."""
    return account.shop.shown_stock()


def test_what_is_there_is_shown(account: Account) -> None:
    push(account.integration.pk)
    assert shown(account) == {"TEA": 10, "CUP": 10, "POT": 10}
    assert account.waits() == account.waits("price") == account.waits("content") == set()
    assert account.records("TEA") == [("10", "acknowledged")]
    assert account.records("TEA", "price") == [("5.00 EUR", "acknowledged")]
    account.listings["TEA"].refresh_from_db()
    assert account.listings["TEA"].sync_state == "synced"
    assert account.link("TEA").told_quantity == 10
    assert account.link("TEA").told_price == Decimal("5.00")


def test_many_changes_of_one_listing_are_one_telling_of_the_newest_number(account: Account) -> None:
    push(account.integration.pk)
    for _ in range(100):
        account.adjust("TEA", -1) if shown(account)["TEA"] % 2 else account.adjust("TEA", 1)
    tell(account)
    assert [fact["quantity"] for fact in account.effects("stock", key=account.link("TEA").external_key)] == [10, 110]


def test_a_thousand_changes_in_a_second_are_at_most_five_tellings_and_the_last_value_stands(account: Account) -> None:
    push(account.integration.pk)
    account.shop.world.journal.entries().clear()
    before = len(account.effects("stock", key=account.link("TEA").external_key))
    with clock.steered() as time:
        for _ in range(100):  # a hundredth of a second each, ten changes in it, and a worker that looks every time
            for _ in range(10):
                account.receive("TEA", 1)
            push(account.integration.pk)
            time.advance(timedelta(milliseconds=10))
        time.advance(timedelta(seconds=settling.GAP_SECONDS))
        push(account.integration.pk)
    told = account.effects("stock", key=account.link("TEA").external_key)[before:]
    assert len(told) <= 5
    assert told[-1]["quantity"] == 1010
    assert account.waits() == set()


def test_a_change_that_comes_while_the_number_is_on_its_way_is_told_too(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = FakeConnector.push_stock

    def sell_meanwhile(self: FakeConnector, levels: object) -> object:
        account.adjust("TEA", -4)
        monkeypatch.setattr(FakeConnector, "push_stock", sent)
        return sent(self, levels)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeConnector, "push_stock", sell_meanwhile)
    push(account.integration.pk)
    assert shown(account)["TEA"] == 10
    assert account.waits() == {"TEA"}
    tell(account)
    assert shown(account)["TEA"] == 6
    assert account.waits() == set()


def test_a_change_that_is_not_committed_yet_is_neither_told_nor_forgotten(account: Account) -> None:
    push(account.integration.pk)
    changed, may_end = threading.Event(), threading.Event()

    def slowly() -> None:
        try:
            with transaction.atomic():
                account.adjust("TEA", -3)
                changed.set()
                may_end.wait(20)
        finally:
            connections.close_all()

    seller = threading.Thread(target=slowly)
    seller.start()
    assert changed.wait(20)
    account.adjust("CUP", -1)
    with clock.steered(clock.now() + LATER):
        push(account.integration.pk)
    assert (shown(account)["TEA"], shown(account)["CUP"]) == (10, 9)
    may_end.set()
    seller.join(20)
    tell(account)
    assert shown(account)["TEA"] == 7


def test_two_workers_never_tell_the_same_row_at_once(account: Account) -> None:
    gate = threading.Barrier(4)
    done: list[Pushed] = []

    def work() -> None:
        try:
            gate.wait(20)
            done.append(push(account.integration.pk))
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert len(done) == 4
    assert len(account.effects("stock")) == 3
    assert len(account.effects("price")) == 3
    assert shown(account) == {"TEA": 10, "CUP": 10, "POT": 10}


def test_whoever_does_not_get_the_lane_goes_on_at_once(account: Account) -> None:
    with lane(account.integration.pk, "push") as held:
        assert held is not None
        assert push(account.integration.pk).reason == "somebody else is at it"
    assert account.effects("stock") == []


def test_a_worker_that_lost_the_lane_sends_nothing_more(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finalmarket.integrations.lanes.Lane.is_held", lambda self: False)
    assert push(account.integration.pk).reason == "the lane was lost"
    assert account.effects("stock") == []
    monkeypatch.undo()
    push(account.integration.pk)
    assert shown(account) == {"TEA": 10, "CUP": 10, "POT": 10}


def test_a_late_sender_whose_claim_was_taken_over_does_not_have_the_last_word(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(account.integration.pk)
    sent = FakeConnector.push_stock
    account.adjust("TEA", -2)

    def be_overtaken(self: FakeConnector, levels: object) -> object:
        monkeypatch.setattr(FakeConnector, "push_stock", sent)
        account.adjust("TEA", -3)  # somebody else claims the newer version, tells and settles it
        with account.shop.lock:
            account.shop.show("TEA", 5)
        row = account.due("TEA")
        DueChange.objects.filter(pk=row.pk).update(claimed_version=row.version, settled_version=row.version)
        return sent(self, levels)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeConnector, "push_stock", be_overtaken)
    tell(account)
    tell(account)
    assert shown(account)["TEA"] == 5
    assert account.waits() == set()


@pytest.mark.parametrize("reason", ["paused", "needs_attention", "disconnected", "new"])
def test_nothing_is_told_while_the_account_is_not_active(account: Account, reason: str) -> None:
    ChannelIntegration.objects.filter(pk=account.integration.pk).update(status=reason)
    assert push(account.integration.pk).told == 0
    assert account.effects("stock") == []


def test_nothing_is_told_before_pushing_begins(account: Account) -> None:
    for moment in (None, clock.now() + LATER):
        ChannelIntegration.objects.filter(pk=account.integration.pk).update(push_from=moment)
        assert push(account.integration.pk).reason == "pushing has not begun"


def test_a_refused_listing_is_set_aside_with_its_reason_and_the_others_go_on(account: Account) -> None:
    ListingLink.objects.filter(listing=account.listings["CUP"]).update(external_key="L404", ids={"key": "L404"})
    push(account.integration.pk)
    assert (shown(account)["TEA"], shown(account)["POT"]) == (10, 10)
    letter = DeadLetter.objects.get(stream="push_stock")
    assert letter.external_id == "L404"
    assert "there is no listing L404" in letter.reason
    assert account.waits() == set(), "it is not told again until something changes"
    listing = account.listings["CUP"]
    listing.refresh_from_db()
    assert listing.sync_state == "failed"
    assert "there is no listing L404" in listing.sync_error


def test_a_refused_listing_is_told_again_when_it_changes_and_its_letter_is_closed_when_it_is_taken(
    account: Account,
) -> None:
    key = account.link("CUP").external_key
    with account.shop.lock:
        hidden = account.shop.state["listings"].pop(key)
    push(account.integration.pk)
    with account.shop.lock:
        account.shop.state["listings"][key] = hidden
    account.receive("CUP", 1)
    tell(account)
    assert shown(account)["CUP"] == 11
    assert DeadLetter.objects.get(stream="push_stock").settled_by == "push"


def test_a_refused_listing_is_told_again_when_a_person_asks_for_it(account: Account) -> None:
    key = account.link("CUP").external_key
    with account.shop.lock:
        hidden = account.shop.state["listings"].pop(key)
    push(account.integration.pk)
    with account.shop.lock:
        account.shop.state["listings"][key] = hidden
    for letter in DeadLetter.objects.filter(settled_at=None):
        replay(account.integration, letter)
    tell(account)
    assert shown(account)["CUP"] == 10
    account.listings["CUP"].refresh_from_db()
    assert account.listings["CUP"].sync_state == "synced"


def test_a_batch_that_is_refused_as_a_whole_is_halved_until_the_bad_one_stands_alone(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = account.link("CUP").external_key
    sent = FakeConnector.push_stock

    def fastidious(self: FakeConnector, levels: list[object]) -> object:
        if any(level.ref.key == bad for level in levels):  # type: ignore[attr-defined]
            raise ArithmeticError("no such number")
        return sent(self, levels)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeConnector, "push_stock", fastidious)
    push(account.integration.pk)
    assert shown(account) == {"TEA": 10, "CUP": 0, "POT": 10}
    assert DeadLetter.objects.get(stream="push_stock").reason == "ArithmeticError: no such number"


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TIME_OUT, Fault.TRUNCATED])
def test_after_an_unknown_outcome_the_platform_is_asked_and_what_it_shows_is_not_told_again(
    account: Account, fault: Fault
) -> None:
    push(account.integration.pk)
    account.adjust("TEA", -3)
    pull.catch_up_orders(account.integration)
    account.shop.faults.then(fault)
    tell(account)
    assert account.link("TEA").is_doubtful
    assert account.waits() == {"TEA"}
    with clock.steered(clock.now() + LATER):
        push(account.integration.pk)
    assert account.waits() == set()
    assert not account.link("TEA").is_doubtful
    assert len(account.effects("stock", key=account.link("TEA").external_key, quantity=7)) == 1
    assert account.records("TEA") == [("10", "acknowledged"), ("7", "unknown")]


def test_after_an_unknown_outcome_without_an_effect_it_is_told_again(account: Account) -> None:
    push(account.integration.pk)
    account.adjust("TEA", -3)
    pull.catch_up_orders(account.integration)
    account.shop.faults.then(Fault.ERROR_BEFORE)
    tell(account)
    assert shown(account)["TEA"] == 10
    with clock.steered(clock.now() + LATER):
        push(account.integration.pk)
    assert shown(account)["TEA"] == 7


def test_one_listing_that_the_platform_always_breaks_at_does_not_keep_the_others_from_being_told(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = account.link("CUP").external_key
    sent = FakeConnector.push_stock

    def break_at_it(self: FakeConnector, levels: list[object]) -> object:
        if any(level.ref.key == bad for level in levels):  # type: ignore[attr-defined]
            raise OutcomeUnknown("500")
        return sent(self, levels)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeConnector, "push_stock", break_at_it)
    with clock.steered() as time:
        for _ in range(8):
            push(account.integration.pk)
            time.advance(LATER)
    assert shown(account) == {"TEA": 10, "CUP": 0, "POT": 10}
    assert account.waits() == {"CUP"}
    monkeypatch.undo()
    with clock.steered(clock.now() + timedelta(hours=2)):
        push(account.integration.pk)
    assert shown(account)["CUP"] == 10


def test_a_wait_that_the_platform_asks_for_is_kept_by_every_worker(account: Account) -> None:
    pull.catch_up_orders(account.integration)
    with clock.steered() as time:
        account.shop.faults.then(Fault.TOO_MANY_WAIT)
        push(account.integration.pk)
        asked = len(account.shop.world.journal.entries(what="request"))
        for _ in range(5):
            time.advance(timedelta(milliseconds=150))
            push(account.integration.pk)
        assert len(account.shop.world.journal.entries(what="request")) == asked
        time.advance(timedelta(seconds=2))
        push(account.integration.pk)
        time.advance(timedelta(seconds=2))
        push(account.integration.pk)
    assert shown(account) == {"TEA": 10, "CUP": 10, "POT": 10}
    assert IntegrationHealth.objects.get(integration=account.integration).failures_in_row == 0


def test_a_number_that_only_seems_to_be_shown_is_told_later_and_not_set_aside(account: Account) -> None:
    push(account.integration.pk)
    account.shop.remember()
    with account.shop.lock:
        account.shop.show("TEA", 7)
    account.receive("TEA", 1)
    pull.pull(account.integration.pk, "orders")
    account.shop.faults.then(Fault.STALE_READ)  # what is shown is read anew, and an older number is read
    done = tell(account)
    assert (done.put_off, shown(account)["TEA"]) == (1, 7)
    assert account.waits() == {"TEA"}
    assert not DeadLetter.objects.exists()
    with clock.steered(clock.now() + LATER):
        tell(account)
    assert shown(account)["TEA"] == 11


def test_a_number_that_went_stale_is_read_anew_and_told_again(account: Account) -> None:
    push(account.integration.pk)
    with account.shop.lock:
        account.shop.show("TEA", 4)  # edited there by hand: not what we told
    account.adjust("TEA", -1)
    tell(account)
    assert shown(account)["TEA"] == 9
    assert DeadLetter.objects.filter(stream="push_stock").count() == 0


def test_no_number_is_told_that_has_not_seen_the_channels_own_newest_orders(account: Account) -> None:
    push(account.integration.pk)
    with account.shop.lock:
        account.shop.order(("TEA", 3))
    account.receive("TEA", 5)
    with clock.steered(clock.now() + LATER):
        push(account.integration.pk)
    assert [fact["quantity"] for fact in account.effects("stock", key=account.link("TEA").external_key)] == [10, 12]


def test_while_the_newest_orders_are_not_known_prices_are_told_and_numbers_wait(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "catch_up_orders", lambda integration: False)
    push(account.integration.pk)
    assert account.effects("stock") == []
    assert len(account.effects("price")) == 3
    assert account.waits() == {"TEA", "CUP", "POT"}


@pytest.mark.parametrize("off", ["listing", "variant", "channel", "paused", "too early", "over"])
def test_what_cannot_be_bought_is_shown_as_none(account: Account, off: str) -> None:
    push(account.integration.pk)
    listing, variant, channel = account.listings["TEA"], account.variants["TEA"], account.channel
    if off == "listing":
        ChannelProduct.objects.filter(pk=listing.pk).update(is_available=False)
    elif off == "variant":
        variant.is_active = False
        variant.save()
    elif off in ("channel", "paused"):
        channel.status, channel.is_paused = ("inactive", False) if off == "channel" else ("active", True)
        channel.save()
    elif off == "too early":
        ChannelProduct.objects.filter(pk=listing.pk).update(publish_from=clock.now() + LATER)
    else:
        ChannelProduct.objects.filter(pk=listing.pk).update(publish_until=clock.now() - LATER)
    account.channel.sync_inventory()
    tell(account)
    assert shown(account)["TEA"] == 0


def test_a_hold_on_one_channel_lowers_what_the_others_show(account: Account) -> None:
    push(account.integration.pk)
    hold(account.channel, account.variants["TEA"], 4)
    tell(account)
    assert shown(account)["TEA"] == 6


def test_a_listing_without_a_price_in_the_channels_currency_is_set_aside(account: Account) -> None:
    account.variants["TEA"].prices.all().delete()
    push(account.integration.pk)
    assert DeadLetter.objects.get(stream="push_price").reason == "it has no price in EUR"
    assert len(account.effects("price")) == 2


def test_a_listing_that_the_platform_does_not_have_is_made_there_and_then_gets_its_price_and_stock(
    account: Account,
) -> None:
    listing = account.offer("JAR", 4, linked=False)
    link_listing(account.integration, listing, ListingRef(key="JAR", sku="JAR"))
    push(account.integration.pk)
    link = account.link("JAR")
    assert link.ids == {"key": link.external_key}
    made = account.shop.state["listings"][link.external_key]
    assert (made["title"], made["brand"], made["price"], made["stock"]) == ("The JAR", "House", "5.00", {"main": 4})


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TIME_OUT])
def test_a_listing_whose_making_ended_without_an_answer_is_not_made_twice(account: Account, fault: Fault) -> None:
    push(account.integration.pk)
    listing = account.offer("JAR", 4, linked=False)
    link_listing(account.integration, listing, ListingRef(key="JAR", sku="JAR"))
    pull.catch_up_orders(account.integration)
    account.shop.faults.then(fault)
    tell(account)
    assert "JAR" in account.waits("content")
    with clock.steered(clock.now() + LATER):
        push(account.integration.pk)
    assert [one["sku"] for one in account.shop.state["listings"].values()].count("JAR") == 1
    assert account.link("JAR").ids != {}
    assert shown(account)["JAR"] == 4


def test_stock_is_told_by_location_where_the_platform_knows_several_of_ours(account: Account) -> None:
    store = StockLocation.objects.create(code="store", name="Store", kind="store", priority=9)
    account.shop.state["locations"] = ["main", "shop-2"]
    for place, location in (("main", account.place), ("shop-2", store)):
        PlaceMapping.objects.create(integration=account.integration, place=place, stock_location=location)
    ledger.receive([ledger.Receipt(account.variants["TEA"].pk, store.pk, 3)], actor="test")
    push(account.integration.pk)
    assert account.shop.state["listings"][account.link("TEA").external_key]["stock"] == {"main": 10, "shop-2": 3}
    assert account.records("TEA") == [("13 (main: 10, shop-2: 3)", "acknowledged")]
    hold(account.channel, account.variants["TEA"], 12)
    tell(account)
    assert sum(account.shop.state["listings"][account.link("TEA").external_key]["stock"].values()) == 1
    assert account.link("TEA").told_quantity == 1


def test_what_a_platform_cannot_be_told_does_not_wait_for_ever(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finalmarket.integrations.push.can", lambda connector, ware: ware.what == "stock")
    push(account.integration.pk)
    assert account.waits("price") == account.waits("content") == set()
    assert account.effects("price") == []


def test_a_dead_platform_is_asked_less_and_less_and_told_everything_when_it_is_back(account: Account) -> None:
    account.shop.faults.share, account.shop.faults.kinds = 1.0, (Fault.ERROR_BEFORE,)
    with clock.steered() as time:
        for _ in range(200):  # ten minutes, a worker every three seconds
            push(account.integration.pk)
            time.advance(timedelta(seconds=3))
        assert len(account.shop.world.journal.entries(what="request")) < 30
        account.shop.faults.stop()
        time.advance(timedelta(minutes=10))
        push(account.integration.pk)
        time.advance(timedelta(minutes=10))
        push(account.integration.pk)
    assert shown(account) == {"TEA": 10, "CUP": 10, "POT": 10}


def test_the_trail_says_what_was_sent_under_which_version_and_what_became_of_it(account: Account) -> None:
    push(account.integration.pk)
    record = PushRecord.objects.get(listing=account.listings["TEA"], what="stock")
    assert record.version == account.due("TEA").settled_version
    assert record.due_since is not None
    assert record.due_since <= record.sent_at <= (record.answered_at or record.sent_at)
