"""Fifty people are erased: no table, letter, job, log line or export holds a word of them, and the books stay."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from finalmarket.analytics.rollup import restate
from finalmarket.cli.privacy import command
from finalmarket.customers import consents, erased, persons
from finalmarket.customers.models import (
    BlockedIdentity,
    CustomerIdentity,
    ErasedIdentity,
    MergeSuggestion,
    OmnichannelCustomer,
    PrivacyRequest,
)
from finalmarket.customers.preferences import set_preference
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.customers.suggestions import suggest
from finalmarket.integrations import dead_letters, pull
from finalmarket.integrations.models import (
    ChannelIntegration,
    DeadLetter,
    DueNotice,
    PushRecord,
    SyncRun,
    Ticket,
    WebhookDelivery,
)
from finalmarket.integrations.privacy import erase, export
from finalmarket.integrations.privacy.words import kinds_of_columns
from finalmarket.journeys import stitching
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders import cart, fulfilment, returns
from finalmarket.orders.drafts import Address
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, OrderImport, OrderImportRefusal
from finalmarket.orders.wishes import wish
from tests.integrations import backups
from tests.integrations.letterbox import Post
from tests.integrations.stalls import Account
from tests.orders.market import draft, line, together
from tests.tracking.teller import Shop, open_shop

pytestmark = pytest.mark.committed_database
PEOPLE = int(os.environ.get("FINALMARKET_PROOF_ERASED", "6"))
CANARY = "zqcanary"


@dataclass
class Somebody:
    """A person all of whose words are their own."""

    number: int

    @property
    def word(self) -> str:
        return f"{CANARY}{self.number:02d}"

    @property
    def email(self) -> str:
        return f"{self.word}@example.com"

    @property
    def name(self) -> str:
        return f"{self.word} Ünal-Müller"

    @property
    def address(self) -> Address:
        return Address(
            name=self.name, company=f"{self.word} company", street=f"{self.word}street 5", street2=f"{self.word} back",
            postcode="10115", city=f"{self.word}city", country="DE",
        )  # fmt: skip


@dataclass
class House:
    """Where they leave their words."""

    post: Post
    shop: Shop

    @property
    def account(self) -> Account:
        return self.post.account

    @property
    def integration(self) -> ChannelIntegration:
        return self.account.integration


@pytest.fixture
def house(post: Post) -> House:
    for sku in ("TEA", "CUP"):
        post.account.receive(sku, 500)
    return House(post, open_shop())


def everything() -> Iterator[tuple[str, str]]:
    """Every row of every table, as text; bytes twice, so that they can be read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind IN ('r') AND relnamespace = 'public'::regnamespace")
        tables = [name for (name,) in cursor.fetchall()]
        kinds = kinds_of_columns()
        for table in tables:
            bodies = [column for (name, column), kind in kinds.items() if name == table and kind == "bytea"]
            more = "".join(f" || ' ' || encode(coalesce(t.{column}, ''), 'escape')" for column in bodies)
            cursor.execute(f'SELECT t::text{more} FROM "{table}" t')
            yield from ((table, str(text).lower()) for (text,) in cursor.fetchall())


def held(word: str = CANARY) -> dict[str, int]:
    """In which tables the word stands, and in how many rows."""
    found: dict[str, int] = {}
    for table, text in everything():
        if word in text:
            found[table] = found.get(table, 0) + 1
    return found


def books() -> dict[str, Any]:
    """What stays: stock, orders, money, figures, journeys."""
    kept = {
        "stock": "SELECT variant_id, on_hand, reserved, allocated FROM stock_pool ORDER BY 1",
        "ledger": "SELECT m::text FROM stock_movement m ORDER BY id",
        "orders": """SELECT number, external_id, state, payment_state, total, goods, tax, refunded, customer_id,
                     shipping_address ->> 'country' FROM orders ORDER BY id""",
        "lines": "SELECT l::text FROM order_lines l ORDER BY id",
        "payments": "SELECT p::text FROM payments p ORDER BY id",
        "figures": "SELECT (to_jsonb(a) - 'id')::text FROM channel_analytics a"
        " ORDER BY sales_channel_id, date, currency",
        "journeys": "SELECT id, customer_id, intent, state, started_at, ended_at, order_id FROM cross_channel_journeys"
        " ORDER BY id",
        "persons": "SELECT id, merged_into_id FROM omnichannel_customers ORDER BY id",
    }
    found = {}
    with connection.cursor() as cursor:
        for name, query in kept.items():
            cursor.execute(query)
            found[name] = cursor.fetchall()
    return found


def count(house: House) -> None:
    """Bring the figures of all channels up to date."""
    today = clock.now().date()
    for channel in (house.account.channel, house.shop.channel):
        restate(channel, date(2026, 1, 1), today)


def leave_words(house: House, one: Somebody) -> int:
    """Do everything that a person can do here; return their profile."""
    _buy_on_the_platform(house, one)
    person = _buy_in_the_shop(house, one)
    _look_around(house, one)
    _be_talked_about(house, one, person)
    return person


def _buy_on_the_platform(house: House, one: Somebody) -> None:
    """An order by webhook with its raw payload, one that cannot be taken, and a webhook that nobody understands."""
    shop = house.account.shop
    with shop.lock:
        number = shop.order(("TEA", 1), email=one.email)
        order = shop.state["orders"][number]
        order |= {"name": one.name, "note": f"for {one.word} only"}
        order["address"] |= {"name": one.name, "street": one.address.street, "city": one.address.city}
        shop._changed("order", order)
        shop.meet(one.name, one.email)
        broken = shop.order(("TEA", 1), email=one.email)
        shop.state["orders"][broken] |= {"currency": f"{one.word}", "name": one.name}
        shop._changed("order", shop.state["orders"][broken])
    for letter in house.post.letters:
        house.post.deliver(letter)
    house.post.letters.clear()
    WebhookDelivery.objects.create(
        integration=house.integration, event_id=f"odd-{one.number}", topic="odd", handled_at=clock.now(),
        body=json.dumps({"who": one.name, "gift": f"{one.word} says hello"}).encode(),
    )  # fmt: skip


def _buy_in_the_shop(house: House, one: Somebody) -> int:
    web = house.shop.channel
    order = take(
        draft(web, f"S{one.number}", line("CUP", 2), name=one.name, email=one.email, phone=f"+4930123{one.number:03d}",
              shipping_address=one.address, billing_address=one.address, raw={"note": f"{one.word} at the back door"}),
        actor="shop",
    ).order  # fmt: skip
    parcel = order.fulfilments.first()
    if parcel is not None:
        fulfilment.ship(parcel.pk, carrier="dhl", tracking_number=f"T{one.number}", actor="ann",
                        tracking_url=f"https://dhl.example/?zip=10115&to={one.word}")  # fmt: skip
        fulfilment.deliver(parcel.pk, actor="ann")
        goods = returns.Back(order.lines.get().pk, 1)
        returns.take_return(order.pk, [goods], key=f"R{one.number}", reason=f"{one.name} does not like it", actor="ann")
    assert order.customer is not None
    basket = cart.open_cart(web, customer_id=order.customer.pk)
    cart.add(basket.token, house.account.variants["TEA"].pk, 1)
    wish(order.customer.pk, house.account.variants["POT"].pk)
    return order.customer.pk


def _look_around(house: House, one: Somebody) -> None:
    told = house.shop.batch(
        {"type": "identify", "userId": f"user-{one.word}", "anonymousId": f"device-{one.word}",
         "messageId": f"{one.word}-1", "traits": {"email": one.email, "name": one.name}},
        {"type": "track", "event": "Product Viewed", "userId": f"user-{one.word}", "messageId": f"{one.word}-2",
         "anonymousId": f"device-{one.word}", "properties": {"sku": "TEA", "note": f"{one.word} looked"}},
        {"type": "track", "event": "Products Searched", "anonymousId": f"device-{one.word}",
         "messageId": f"{one.word}-3", "properties": {"query": f"gift for {one.word}"}},
    )  # fmt: skip
    assert told.status_code == 200


def _be_talked_about(house: House, one: Somebody, person: int) -> None:
    """What staff, platforms and the house write down."""
    order = Order.objects.get(sales_channel=house.shop.channel, external_id=f"S{one.number}")
    Ticket.objects.create(integration=house.integration, order=order, key=f"K{one.number}", subject=f"{one.name} asks",
                          text=f"{one.word} wants to know")  # fmt: skip
    dead_letters.set_aside(house.integration, "orders", f"X{one.number}", f"{one.email} is odd", {"raw": one.name})
    DueNotice.objects.create(integration=house.integration, kind="confirmation", local_id=order.pk,
                             key=f"n{one.number}", last_error=f"550 {one.email} unknown")  # fmt: skip
    SyncRun.objects.create(integration=house.integration, stream="orders", error=f"cannot read {one.name}")
    PushRecord.objects.create(integration=house.integration, listing=house.account.listings["TEA"], what="stock",
                              version=1, sent_at=clock.now(), reason=f"asked by {one.email}")  # fmt: skip
    consents.say(person, "newsletter", True, source=f"form of {one.word}", proof={"ip": one.word, "text": one.email})
    set_preference(person, house.shop.channel.pk, "size", f"{one.word} XL")
    twin = resolve(Contact(name=f"{one.name} again", email=f"{one.word}.twin@example.com"))
    assert twin is not None
    OmnichannelCustomer.objects.get(pk=person).merge(twin, actor="olga", reason=f"{one.name} called")
    other = resolve(Contact(email=f"stranger{one.number}@example.com"))
    assert other is not None
    suggest(person, other.pk, source="test", evidence={"name": one.name})
    BlockedIdentity.objects.create(kind="phone", value=f"+4930555{one.number:03d}", reason=f"asked by {one.email}")
    kind = ContentType.objects.get_for_model(OmnichannelCustomer)
    user, _ = User.objects.get_or_create(username="olga", defaults={"is_staff": True})
    LogEntry.objects.create(user=user, content_type=kind, object_id=str(person), object_repr=one.name,
                            action_flag=CHANGE, change_message=f"wrote to {one.word}")  # fmt: skip
    page, _ = OrderImport.objects.get_or_create(
        fingerprint="f", mapping_hash="m", file_name="orders.csv", sales_channel=house.shop.channel
    )
    OrderImportRefusal.objects.create(order_import=page, row=one.number, column="email", value=one.email, reason="odd")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (task_name, queue_name, priority, args, status)"
            " VALUES ('odd', 'default', 0, %s::jsonb, 'succeeded')",
            [json.dumps({"email": one.email})],
        )


def settled(house: House) -> None:
    """All that workers would have done by now."""
    house.post.work()
    pull.pull(house.integration.pk, "customers")
    persons.settle()
    while stitching.run(seconds=5).persons:
        pass
    count(house)


def test_people_are_gone_from_everything_and_the_books_stay(
    house: House, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    people = [Somebody(number) for number in range(PEOPLE)]
    logged = backups.journals()
    with caplog.at_level(logging.DEBUG):
        profiles = [leave_words(house, one) for one in people]
        settled(house)
        before = books()
        assert len(held()) > 20
        assert all(backups.holds(found, CANARY) for found in (backups.dumped(), backups.exported(tmp_path / "before")))
        for one, profile in zip(people, profiles, strict=True):
            document = "".join(export.export(profile, actor="olga"))
            assert json.loads(document)["tables"]["orders"]
            assert one.word in document
            assert not any(other.word in document for other in people if other is not one)
        for profile in profiles:
            assert erase.erase(profile, actor="olga", at_once=True).state == PrivacyRequest.State.DONE
        assert held() == {}
        settled_again(house)
    assert held() == {}
    assert books() == before
    for left in (backups.dumped(), backups.exported(tmp_path / "after"), backups.written_since(logged)):
        assert not backups.holds(left, CANARY)
    assert CANARY not in caplog.text.lower()
    out, err = capfd.readouterr()
    assert CANARY not in (out + err).lower()
    for profile in profiles:
        assert CANARY not in "".join(export.export(profile, actor="olga")).lower()


def settled_again(house: House) -> None:
    """The worker goes on: persons, journeys and figures are computed anew."""
    persons.settle()
    while stitching.run(seconds=5).persons:
        pass
    count(house)


def test_what_comes_late_does_not_bring_the_person_back(house: House) -> None:
    one = Somebody(0)
    profile = leave_words(house, one)
    settled(house)
    erase.erase(profile, actor="olga", at_once=True)
    persons_before = OmnichannelCustomer.objects.count()
    shop = house.account.shop
    with shop.lock:
        for order in list(shop.state["orders"].values()):
            order["name"] = f"{one.name} once more"
            shop._changed("order", order)
        for number in list(shop.state["customers"]):
            shop.rename(number, f"{one.name} again")
    for letter in house.post.letters:
        house.post.deliver(letter)
    body = json.dumps({"event": "odd", "topic": "odd", "who": one.email}).encode()
    WebhookDelivery.objects.create(integration=house.integration, event_id="late", topic="odd", body=body)
    clock_moves = clock.now() + timedelta(hours=1)
    with clock.steered(clock_moves):
        settled(house)
        for stream in ("orders", "customers"):
            pull.pull(house.integration.pk, stream)
    dead_letters.set_aside(house.integration, "customers", "C99", f"{one.email} is odd", {"email": one.email})
    late = house.shop.batch(
        {"type": "identify", "userId": f"user-{one.word}", "messageId": "late", "traits": {"name": one.name},
         "anonymousId": f"device-{one.word}", "timestamp": (clock.now() - timedelta(days=2)).isoformat()},
        {"type": "track", "event": "Product Viewed", "userId": f"user-{one.word}", "messageId": "late too",
         "timestamp": (clock.now() - timedelta(days=2)).isoformat(), "properties": {"note": one.name}},
    )  # fmt: skip
    assert late.status_code == 200
    take(draft(house.shop.channel, "S-old", line("CUP"), name=one.name, email=one.email, shipping_address=one.address),
         actor="import")  # fmt: skip
    assert held() == {}
    assert OmnichannelCustomer.objects.count() == persons_before
    assert Order.objects.get(external_id="S-old").customer_id in erased.among([profile])


def test_whoever_buys_after_being_erased_begins_anew(house: House) -> None:
    one = Somebody(0)
    profile = _buy_in_the_shop(house, one)
    erase.erase(profile, actor="olga", at_once=True)
    tomorrow = clock.now() + timedelta(days=1)
    with clock.steered(tomorrow):
        bought = draft(house.shop.channel, "S-new", line("CUP"), name=one.name, email=one.email,
                       shipping_address=one.address)  # fmt: skip
        order = take(replace(bought, placed_at=tomorrow), actor="shop").order
    assert order.customer_id != profile
    order.refresh_from_db()
    assert (order.email, order.shipping_address["city"]) == (one.email, one.address.city)
    listed = resolve(Contact(name=one.name, email=one.email))
    assert listed is not None
    assert listed.pk == order.customer_id
    assert not Order.objects.filter(customer=profile).exclude(email="").exists()


@pytest.mark.parametrize("where", ["privacy.after_table", "privacy.before_commit"])
def test_an_erasure_that_is_cut_off_is_done_by_the_worker(house: House, where: str) -> None:
    one = Somebody(0)
    profile = leave_words(house, one)
    settled(house)
    before = held()
    with failpoints.armed(f"{where}:raise"), pytest.raises(failpoints.FailpointHit):
        erase.erase(profile, actor="olga", at_once=True)
    assert held() == before | {"privacy_requests": 1}  # whole or not at all; the request notes whom to look for
    assert PrivacyRequest.objects.get(kind="erasure").state == PrivacyRequest.State.UNDER_WAY
    assert erase.go_on() == 1
    assert held() == {}
    assert erase.go_on() == 0
    again = erase.erase(profile, actor="olga")
    assert again.pk == PrivacyRequest.objects.get(kind="erasure").pk


def test_an_erasure_waits_for_orders_that_are_under_way(house: House) -> None:
    one = Somebody(0)
    with house.account.shop.lock:
        house.account.shop.order(("TEA", 1), email=one.email)
    for letter in house.post.letters:
        house.post.deliver(letter)
    house.post.work()
    order = Order.objects.get()
    assert order.customer_id is not None
    request = erase.erase(order.customer_id, actor="olga")
    assert (request.state, request.outcome) == (PrivacyRequest.State.WAITING, {"waits_for_orders": 1})
    assert erase.go_on() == 0
    assert held(one.word)
    for parcel in order.fulfilments.all():
        fulfilment.ship(parcel.pk, carrier="dhl", tracking_number="T1", actor="ann")
    assert erase.go_on() == 1
    assert held(one.word) == {}


def test_merged_profiles_stay_one_buyer_and_strangers_keep_everything(house: House) -> None:
    one, other = Somebody(0), Somebody(1)
    profile, stays = leave_words(house, one), leave_words(house, other)
    settled(house)
    before = held(other.word)
    erase.erase(profile, actor="olga", at_once=True)
    settled_again(house)
    assert held(other.word) == before
    assert len(persons.members(profile)) > 1
    assert OmnichannelCustomer.objects.get(pk=stays).name == other.name
    assert not CustomerIdentity.objects.filter(customer__in=persons.members(profile)).exists()
    assert not MergeSuggestion.objects.filter(first__in=persons.members(profile)).exists()
    assert not consents.agrees(profile, "newsletter")
    with pytest.raises(UserError, match="erased"):
        consents.say(profile, "newsletter", True, source="test")


def test_digests_are_forgotten_after_three_years(house: House) -> None:
    erase.erase(_buy_in_the_shop(house, Somebody(0)), actor="olga", at_once=True)
    assert ErasedIdentity.objects.exists()
    with clock.steered(clock.now() + timedelta(days=erased.KEPT_DAYS - 1)):
        assert erased.tidy() == 0
    with clock.steered(clock.now() + timedelta(days=erased.KEPT_DAYS + 1)):
        assert erased.tidy() > 0
    assert not DeadLetter.objects.exists()
    assert not ChannelInteraction.objects.exclude(context={}).exists()


def test_nobody_slips_through_while_somebody_is_being_erased(house: House) -> None:
    """Shops and trackers tell of a person all the time; whoever is in the middle of it is waited for."""
    one = Somebody(0)
    profile = _buy_in_the_shop(house, one)

    def act(number: int) -> None:
        if number == 3:
            erase.erase(profile, actor="olga", at_once=True)
            return
        for turn in range(5):
            bought = draft(house.shop.channel, f"W{number}-{turn}", line("CUP"), name=one.name, email=one.email,
                           shipping_address=one.address, raw={"who": one.name})  # fmt: skip
            take(bought, actor="shop")
            told = {"type": "track", "event": "Product Viewed", "userId": f"user-{one.word}",
                    "messageId": f"{number}-{turn}", "context": {"traits": {"email": one.email}},
                    "timestamp": "2026-05-04T12:00:00Z", "properties": {"note": one.name}}  # fmt: skip
            assert house.shop.batch(told).status_code == 200

    done = together(act, 8)
    assert [one for one in done if isinstance(one, BaseException)] == []
    persons.settle()
    assert held() == {}
    assert Order.objects.filter(external_id__startswith="W").count() == 35


def test_the_command_exports_and_erases(house: House) -> None:
    one = Somebody(0)
    _buy_in_the_shop(house, one)
    runner = CliRunner()
    exported = runner.invoke(command, ["export", one.email])
    assert json.loads(exported.stdout)["person"]["name"] == one.name
    refused = runner.invoke(command, ["erase", one.email], input="n\n")
    assert refused.exit_code == 1
    assert held()
    erased_now = runner.invoke(command, ["erase", one.email, "--yes", "--at-once"])
    assert "is erased" in erased_now.stdout
    assert held() == {}
    assert isinstance(runner.invoke(command, ["erase", one.email, "--yes"]).exception, UserError)
