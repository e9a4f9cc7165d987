"""Salesforce, connector and stand-in, over HTTP; every exchange is judged by what its guides say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from finalmarket.connectors.books import OrderContentLine
from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, Rejected, RetryLater, Unintelligible
from finalmarket.connectors.platforms.salesforce import PAGE, ROOT
from finalmarket.connectors.records import CustomerContent
from finalmarket.kernel import clock
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.salesforce import ACCOUNT, CLIENT_ID, CLIENT_SECRET, HOST
from finalmarket.sandbox.platforms.salesforce.gate import refusal
from tests.connectors.cases.salesforce import case, customer, order_content, seed_customers
from tests.connectors.conformance.stage import START, NthCall, Stage, always, on_a_double, staged

DAY = timedelta(days=1)
BACK = "https://hub.example/oauth"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def with_settings(stage: Stage, **settings: str) -> Any:
    account = stage.connector.account
    return stage.with_account(replace(account, settings={**account.settings, **settings}))


def held(stage: Stage, kind: str, name: str) -> dict[str, Any]:
    record: dict[str, Any] = stage.stand_in.state["records"][kind][name]
    return record


def writes(stage: Stage) -> list[tuple[str, str]]:
    """The writes that were made, but for tokens."""
    found = [(one.method, one.path) for one in stage.watched.exchanges if one.method != "GET"]
    return [one for one in found if "oauth2" not in one[1]]


# Being let in.


def test_one_token_is_asked_for_and_another_one_when_it_is_refused(stage: Stage) -> None:
    stage.connector.check()
    assert stage.connector.check() == "The Final Market Ltd (00D000000000001AAA)"
    stage.time.advance(timedelta(hours=3))
    stage.connector.check()
    assert sum(one.path.endswith("/token") for one in stage.watched.exchanges) == 2


def authorized(stage: Stage, verifier: str = "a-verifier-of-more-than-43-letters-as-rfc-7636-wants") -> Any:
    url = stage.connector.authorization_url(BACK, "state-1", verifier)
    page = httpx2.get(url, follow_redirects=False, trust_env=False)
    query = {name: values[0] for name, values in parse_qs(urlsplit(page.headers["location"]).query).items()}
    assert query["state"] == "state-1"
    return query, lambda proof: dict(stage.connector.exchange(query, BACK, proof))


def test_the_round_trip_in_the_browser_brings_tokens_and_the_orgs_own_host(stage: Stage) -> None:
    verifier = "a-verifier-of-more-than-43-letters-as-rfc-7636-wants"
    _, exchange = authorized(stage, verifier)
    given = exchange(verifier)
    assert given["host"] == HOST
    secrets = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": given["refresh_token"]}
    kept: dict[str, str] = {}
    connector = stage.with_account(Account(secrets, {"host": HOST}, base_url=stage.address, keep=kept.update))
    assert connector.check()
    assert kept["access_token"]


def test_a_code_is_good_once_and_for_whoever_began(stage: Stage) -> None:
    _, exchange = authorized(stage)
    with pytest.raises(NeedsAttention, match="anew"):
        exchange("another-verifier-of-more-than-43-letters-of-somebody-else")
    verifier = "a-verifier-of-more-than-43-letters-as-rfc-7636-wants"
    _, again = authorized(stage, verifier)
    again(verifier)
    with pytest.raises(NeedsAttention, match="anew"):
        again(verifier)
    with pytest.raises(NeedsAttention, match="no authorization code"):
        stage.connector.exchange({}, BACK, verifier)


def test_what_is_no_host_gets_no_secrets() -> None:
    account = case().account("")
    for host in ("", "https://", "example.com/evil", "user@example.com"):
        connector = case().connector(replace(account, settings={**account.settings, "host": host}, base_url=""))
        with pytest.raises(NeedsAttention, match="no host"):
            connector.check()


# Customers out.


def test_a_contact_tells_all_that_is_known_of_a_customer(stage: Stage) -> None:
    name = stage.connector.push_customer(customer(stage.stand_in))
    told = held(stage, "Contact", name)
    assert (told["FirstName"], told["LastName"], told["Phone"]) == ("Ada", "Lovelace", "+49301234567")
    assert (told["MailingStreet"], told["MailingPostalCode"]) == ("Hauptstr. 1", "10115")
    assert (told["MailingCity"], told["MailingCountry"], told["AccountId"]) == ("Berlin", "DE", ACCOUNT)
    assert (told["HasOptedOutOfEmail"], told["FinalMarket_Agreed__c"]) == (False, "email")
    assert (told["FinalMarket_Refused__c"], told["FinalMarket_Segments__c"]) == ("sms", "VIP")
    assert (told["FinalMarket_Orders__c"], str(told["FinalMarket_Spent__c"])) == (3, "89.7")
    assert told["FinalMarket_Last_Order__c"] == "2026-05-01T09:30:00.000+0000"


def test_a_contact_that_is_there_under_its_address_is_taken_for_the_customer(stage: Stage) -> None:
    content = customer(stage.stand_in)
    name = stage.stand_in.sign_up({"LastName": "Lovelace", "Email": content.email.upper(), "AccountId": ACCOUNT})
    assert stage.connector.push_customer(content) == name
    assert held(stage, "Contact", name)["FinalMarket_Segments__c"] == "VIP"
    assert stage.effects() == {"Contact made": 1, "Contact changed": 1}


def test_of_two_contacts_of_one_address_none_is_taken_for_the_customer(stage: Stage) -> None:
    content = customer(stage.stand_in)
    both = {stage.stand_in.sign_up({"LastName": name, "Email": content.email}) for name in ("One", "Two")}
    made = stage.connector.push_customer(content)
    assert made not in both
    assert stage.connector.push_customer(content) == made
    with pytest.raises(Rejected, match="several contacts"):
        stage.connector.push_customer(replace(content, key=""))


def test_what_is_not_known_of_a_customer_stays_as_it_is_there(stage: Stage) -> None:
    name = stage.stand_in.sign_up({"FirstName": "Ada", "LastName": "Lovelace", "Phone": "030 1"})
    content = CustomerContent(key="c-1", external_id=name, email="ada@example.org", accepts_email=False)
    assert stage.connector.push_customer(content) == name
    told = held(stage, "Contact", name)
    assert (told["LastName"], told["Phone"], told["HasOptedOutOfEmail"]) == ("Lovelace", "030 1", True)
    assert "FinalMarket_Orders__c" not in told


@pytest.mark.parametrize("is_linked", [True, False])
def test_who_opted_out_in_salesforce_is_not_opted_in_by_our_older_word(stage: Stage, is_linked: bool) -> None:
    content = customer(stage.stand_in)
    name = stage.connector.push_customer(content)
    stage.stand_in.change("Contact", name, {"HasOptedOutOfEmail": True})
    stage.connector.push_customer(replace(content, order_count=4, external_id=name if is_linked else ""))
    told = held(stage, "Contact", name)
    assert (told["HasOptedOutOfEmail"], told["FinalMarket_Orders__c"]) == (True, 4)


def test_who_opted_out_before_they_became_our_customer_stays_so(stage: Stage) -> None:
    content = customer(stage.stand_in)
    name = stage.stand_in.sign_up({"LastName": "Lovelace", "Email": content.email, "HasOptedOutOfEmail": True})
    assert stage.connector.push_customer(content) == name
    assert held(stage, "Contact", name)["HasOptedOutOfEmail"] is True


def test_who_refused_to_us_and_agrees_again_is_opted_in_again(stage: Stage) -> None:
    content = customer(stage.stand_in)
    refusing = replace(content, accepts_email=False, consents={"email": False, "sms": False})
    name = stage.connector.push_customer(refusing)
    assert held(stage, "Contact", name)["HasOptedOutOfEmail"] is True
    stage.connector.push_customer(replace(content, external_id=name))
    assert held(stage, "Contact", name)["HasOptedOutOfEmail"] is False
    stage.stand_in.change("Contact", name, {"HasOptedOutOfEmail": True})  # and then she leaves, in Salesforce
    stage.connector.push_customer(replace(content, external_id=name))
    assert held(stage, "Contact", name)["HasOptedOutOfEmail"] is True


def test_a_new_contact_has_a_last_name_whatever_is_known(stage: Stage) -> None:
    name = stage.connector.push_customer(CustomerContent(key="c-1", email="ada.lovelace@example.org"))
    assert held(stage, "Contact", name)["LastName"] == "ada.lovelace"


def test_a_name_longer_than_salesforce_takes_is_cut(stage: Stage) -> None:
    content = CustomerContent(key="c-1", name=f"{'A' * 60} {'B' * 100}", email="a@example.org")
    told = held(stage, "Contact", stage.connector.push_customer(content))
    assert (len(told["FirstName"]), len(told["LastName"])) == (40, 80)


def test_quotes_in_what_people_write_end_no_question(stage: Stage) -> None:
    key = r"c-\' OR Email != '"
    content = CustomerContent(key=key, name="Pat O'Brien", email="pat.o'brien@example.org")
    name = stage.connector.push_customer(content)
    assert stage.connector.push_customer(content) == name
    assert held(stage, "Contact", name)["FinalMarket_Key__c"] == key
    assert stage.connector.find_order(r"FM-\' OR Status != '") is None


def test_a_contact_that_was_deleted_cannot_be_changed(stage: Stage) -> None:
    (name,) = seed_customers(stage.stand_in, 1)
    stage.stand_in.delete(name)
    with pytest.raises(Rejected, match="deleted") as refused:
        stage.connector.push_customer(CustomerContent(key="c-1", external_id=name, name="Ada Lovelace"))
    assert refused.value.key == "c-1"


# Customers in.


def all_of(stage: Stage, cursor: str = "") -> dict[str, Any]:
    pages = stage.connector.pull_customers(cursor, None)
    return {record.external_id: record for page in pages for record in page.records}


def test_two_contacts_that_became_one_come_in_as_one_that_names_the_other(stage: Stage) -> None:
    kept, gone, other = seed_customers(stage.stand_in, 3)
    *_, last = stage.connector.pull_customers("", None)
    stage.time.advance(DAY)
    stage.stand_in.merge(kept, gone)
    came = all_of(stage, last.cursor)
    assert (came[kept].merged_ids, came[kept].is_deleted) == ((gone,), False)
    assert (came[gone].merged_ids, came[gone].is_deleted) == ((), True)
    assert stage.connector.pull_customer(kept).merged_ids == (gone,)
    stage.stand_in.merge(other, kept)
    assert stage.connector.pull_customer(other).merged_ids == (kept,)  # and of that one it is known already


def test_a_deleted_contact_comes_in_as_deleted_and_one_that_was_purged_is_not_known(stage: Stage) -> None:
    deleted, purged = seed_customers(stage.stand_in, 2)
    before = stage.connector.pull_customer(deleted).version
    stage.time.advance(DAY)
    stage.stand_in.delete(deleted)
    stage.stand_in.purge(purged)
    came = all_of(stage)
    assert came[deleted].is_deleted
    assert came[deleted].version > before
    assert stage.connector.pull_customer(purged) is None
    assert stage.connector.pull_customer("no id at all") is None


def test_contacts_of_one_second_are_read_on_by_their_ids(stage: Stage) -> None:
    at = stage.stand_in.now() - DAY
    sown = [stage.stand_in.sign_up({"LastName": f"Buyer {number}"}, at=at) for number in range(2 * PAGE + 10)]
    pages = list(stage.connector.pull_customers("", None))
    assert [record.external_id for page in pages for record in page.records] == sown


def test_somebody_who_left_all_mail_does_not_accept_it(stage: Stage) -> None:
    left = stage.stand_in.sign_up({"LastName": "A", "HasOptedOutOfEmail": True})
    stayed = stage.stand_in.sign_up({"LastName": "B", "HasOptedOutOfEmail": False})
    assert stage.connector.pull_customer(left).accepts_email is False
    assert stage.connector.pull_customer(stayed).accepts_email is None


# Orders out.


def items(stage: Stage, order: str) -> dict[str, dict[str, Any]]:
    every = stage.stand_in.state["records"]["OrderItem"].values()
    return {one["FinalMarket_Line__c"]: one for one in every if one["OrderId"] == order and not one["IsDeleted"]}


def test_the_day_of_an_order_is_that_of_the_channel(stage: Stage) -> None:
    evening = datetime(2027, 1, 1, 1, tzinfo=UTC)  # 17:00 of 31 December in Los Angeles
    content = replace(order_content(stage.stand_in), placed_at=evening, time_zone="America/Los_Angeles")
    assert held(stage, "Order", stage.connector.push_order(content).external_id)["EffectiveDate"] == "2026-12-31"


def test_an_order_is_told_with_its_account_its_contact_and_its_products(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    own = stage.stand_in._make("Account", {"Name": "Her own"})["Id"]
    stage.stand_in.change("Contact", content.customer_id, {"AccountId": own})
    names = stage.connector.push_order(content)
    told = held(stage, "Order", names.external_id)
    assert (told["AccountId"], told["BillToContactId"]) == (own, content.customer_id)
    assert (told["EffectiveDate"], told["Status"], told["FinalMarket_State__c"]) == ("2026-06-01", "Draft", "open")
    assert (told["FinalMarket_Total__c"], told["ShippingCity"]) == (37.85, "Berlin")
    there = items(stage, names.external_id)
    tea, cup, shipping = (there[f"{content.number}/{line.line_id}"] for line in content.lines)
    assert (tea["Quantity"], tea["UnitPrice"]) == (2, 9.95)
    assert (cup["Quantity"], cup["FinalMarket_Discount__c"], cup["FinalMarket_Tax__c"]) == (2, 1.55, 2.15)
    assert (shipping["Quantity"], shipping["Description"]) == (1, "Shipping")
    assert names.lines == {line.line_id: there[f"{content.number}/{line.line_id}"]["Id"] for line in content.lines}


def test_an_order_goes_out_in_one_call_whole_or_not_at_all(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    entry = stage.stand_in.add_product("MUG", "Mug", Decimal(1))
    content = replace(content, lines=(*content.lines, replace(content.lines[0], line_id="last", sku="MUG")))
    usual, stage.stand_in._sensible = stage.stand_in._sensible, _refusing(stage.stand_in, entry)
    with pytest.raises(Rejected, match="refused by a rule"):
        stage.connector.push_order(content)
    assert stage.connector.find_order(content.number) is None
    assert not any(name.startswith("Order") for name in stage.effects())
    stage.stand_in._sensible = usual
    assert len(stage.connector.push_order(content).lines) == 4
    assert [path for _, path in writes(stage)] == [f"{ROOT}/composite/graph"] * 2


def _refusing(org: Any, entry: str) -> Any:
    """A rule of the org's own that refuses one product."""
    usual = org._sensible

    def check(kind: str, whole: Any) -> None:
        if whole.get("PricebookEntryId") == entry:
            raise refusal(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "refused by a rule")
        usual(kind, whole)

    return check


def test_an_order_told_again_is_compared_and_not_written(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    made = writes(stage)
    assert stage.connector.push_order(content) == names
    assert writes(stage) == made


def test_only_what_differs_is_written(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    gone, changed, kept = content.lines
    added = OrderContentLine(line_id="new", title="Mug", sku=gone.sku, unit_price=Decimal("3.00"))
    lines = (replace(changed, cancelled_quantity=2), kept, added)
    again = stage.connector.push_order(replace(content, lines=lines, state="fulfilled", tracking_number="TRACK-1"))
    sent = json.loads(
        next(one for one in reversed(stage.watched.exchanges) if one.method == "POST").request_body
    )["graphs"][0]["compositeRequest"]  # fmt: skip
    told = [(step["method"], step["url"].removeprefix(f"{ROOT}/sobjects/").partition("/")[0]) for step in sent]
    assert told == [("PATCH", "Order"), ("PATCH", "OrderItem"), ("POST", "OrderItem"), ("DELETE", "OrderItem")]
    assert sent[0]["body"] == {"FinalMarket_State__c": "fulfilled", "FinalMarket_Tracking__c": "TRACK-1"}
    assert again.external_id == names.external_id
    assert set(again.lines) == {changed.line_id, kept.line_id, "new"}


def test_a_line_that_was_cancelled_whole_is_no_product_of_the_order(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    first, *others = content.lines
    names = stage.connector.push_order(replace(content, lines=(replace(first, cancelled_quantity=2), *others)))
    assert set(names.lines) == {line.line_id for line in others}


def test_a_cancelled_order_keeps_its_lines_and_says_that_it_is_cancelled(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    again = stage.connector.push_order(replace(content, state="cancelled"))
    assert set(again.lines) == set(names.lines)
    assert held(stage, "Order", names.external_id)["FinalMarket_State__c"] == "cancelled"


def test_the_lines_of_an_activated_order_stay_and_its_own_fields_may_change(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    stage.stand_in.change("Order", names.external_id, {"Status": "Activated"})
    assert stage.connector.push_order(replace(content, payment_state="paid")) == names
    with pytest.raises(Rejected, match="activated") as refused:
        stage.connector.push_order(replace(content, payment_state="refunded", lines=content.lines[1:]))
    assert refused.value.key == content.key
    assert held(stage, "Order", names.external_id)["FinalMarket_Payment__c"] == "paid"


@pytest.mark.parametrize(("settings", "reason"), [
    ({"pricebook": ""}, "no price book"),
    ({"currency": "USD"}, "only USD"),
    ({"other_product": ""}, "no product for the line 'Shipping'"),
    ({"other_product": "NOT-THERE"}, "no product for the line 'Shipping'"),
    ({"account": ""}, "no account"),
    ({"status": "Begun"}, "Status"),
])  # fmt: skip
def test_what_the_org_lacks_for_an_order_is_said(stage: Stage, settings: dict[str, str], reason: str) -> None:
    content = order_content(stage.stand_in)
    with pytest.raises(Rejected, match=reason):
        with_settings(stage, **settings).push_order(content)
    assert stage.connector.find_order(content.number) is None


def test_an_article_that_the_price_book_does_not_have_is_named(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    lines = (replace(content.lines[0], sku="NO-SUCH-SKU"),)
    with pytest.raises(Rejected, match="NO-SUCH-SKU"):
        stage.connector.push_order(replace(content, lines=lines))


def test_an_order_of_a_buyer_whom_salesforce_does_not_know_is_refused_and_a_guests_is_taken(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    with pytest.raises(Rejected, match="no contact"):
        stage.connector.push_order(replace(content, customer_id="003000000009999AAA"))
    names = stage.connector.push_order(replace(content, customer_id=""))
    assert held(stage, "Order", names.external_id)["AccountId"] == ACCOUNT


def test_an_order_of_more_lines_than_a_graph_holds_is_refused(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    lines = tuple(replace(content.lines[0], line_id=f"line-{number}") for number in range(500))
    with pytest.raises(Rejected, match="499"):
        stage.connector.push_order(replace(content, lines=lines))
    assert len(stage.connector.push_order(replace(content, lines=lines[:499])).lines) == 499


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.ERROR_BEFORE])
def test_an_order_whose_news_is_lost_is_there_once(fault: Fault) -> None:
    with staged(case(), faults=NthCall(fault, 1, writes=True)) as stage:
        content = order_content(stage.stand_in)
        with pytest.raises(RetryLater):
            stage.connector.push_order(content)
        stage.connector.push_order(content)
        assert (stage.effects()["Order made"], stage.effects()["OrderItem made"]) == (1, 3)


# What its errors mean, and its limits.


def graph(code: str) -> bytes:
    """A graph of which the second step failed."""
    steps = [
        {"body": [{"errorCode": wrong, "message": "told"}], "httpStatusCode": 400, "referenceId": "x"}
        for wrong in ("PROCESSING_HALTED", code)
    ]  # fmt: skip
    told = {"graphId": "order", "graphResponse": {"compositeResponse": steps}, "isSuccessful": False}
    return json.dumps({"graphs": [told]}).encode()


@pytest.mark.parametrize(("status", "body", "kind", "seconds"), [
    (403, b'[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests"}]', RetryLater, 3600.0),
    (503, b'[{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}]', RetryLater, None),
    (400, b'[{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "locked"}]', RetryLater, None),
    (400, b'[{"errorCode": "INVALID_FIELD", "message": "No such column"}]', NeedsAttention, None),
    (403, b'[{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}]', NeedsAttention, None),
    (400, b'[{"errorCode": "DUPLICATES_DETECTED", "message": "a rule"}]', Rejected, None),
    (200, graph("UNABLE_TO_LOCK_ROW"), RetryLater, None),
    (200, graph("DUPLICATE_VALUE"), Rejected, None),
    (200, b'{"graphs": [{"isSuccessful": false}]}', Rejected, None),
])  # fmt: skip
def test_each_error_has_its_consequence(
    status: int, body: bytes, kind: type[Exception], seconds: float | None
) -> None:  # fmt: skip
    connector = on_a_double(case(), always(status, body))
    with clock.steered(START), pytest.raises(kind) as raised:
        connector.http.call("POST", f"{ROOT}/composite/graph", json={}, repeatable=True)
    assert getattr(raised.value, "retry_after", None) == seconds


def test_the_calls_of_the_day_are_learned_when_few_are_left(stage: Stage) -> None:
    learned: list[Any] = []
    stage.time.learn = lambda bucket, **told: learned.append(told["left"])  # type: ignore[method-assign]
    stage.connector.check()
    assert learned == []
    stage.stand_in.state["used"] = 14_990
    stage.connector.check()
    assert learned == [9]


def test_an_answer_in_several_parts_is_read_to_its_end_and_no_further() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        part = int(request.url.path.rpartition("-")[2]) if "-" in request.url.path else 0
        row = {"attributes": {"type": "Organization", "url": "x"}, "Id": f"{part}", "Name": "Org"}
        told = {"totalSize": 3, "done": part == 2, "records": [row], "nextRecordsUrl": f"{ROOT}/query/01g-{part + 1}"}
        return httpx2.Response(200, json=told)

    connector = on_a_double(case(), answer)
    assert [row["Id"] for row in connector._ask("SELECT Id FROM Organization")] == ["0", "1", "2"]
    endless = {"done": False, "records": [], "nextRecordsUrl": f"{ROOT}/query/01g-1"}
    with pytest.raises(Unintelligible, match="never end"):
        on_a_double(case(), always(200, json.dumps(endless).encode()))._ask("SELECT Id FROM Organization")
