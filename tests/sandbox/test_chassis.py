"""The chassis of the sandbox: every fault does on the wire what its words say; limits, routes and the journal."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Thread
from typing import Any

import httpx2
import pytest

from finalmarket.sandbox.faults import READS_ONLY, WRITES_ONLY, Fault, Faults
from finalmarket.sandbox.platforms.practice_office import TOKEN, PracticeOffice
from finalmarket.sandbox.stand_in import Request
from finalmarket.sandbox.wire import MOST_BYTES, Wire, served
from finalmarket.sandbox.world import World
from tests.sandbox.booth import KEY, Booth

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Client:
    """A client of the booth."""

    def __init__(self, booth: Booth, address: str) -> None:
        self.booth = booth
        self.http = httpx2.Client(base_url=address, headers={"Booth-Key": KEY}, timeout=5.0, trust_env=False)

    def note(self, text: str) -> httpx2.Response:
        return self.http.post("/notes", json={"note": text})

    def noted(self) -> list[str]:
        """What the journal says was really written."""
        return [entry.facts["note"] for entry in self.booth.world.journal.entries(what="effect", name="noted")]


@pytest.fixture
def client() -> Iterator[Client]:
    booth = Booth(World())
    with served(booth, most_seconds_silent=30.0) as (address,):
        client = Client(booth, address)
        yield client
        client.http.close()


def meet(client: Client, *faults: Fault) -> None:
    client.booth.faults.then(*faults)


# Refused before anything happens.


def test_too_many_is_answered_without_a_time_to_wait(client: Client) -> None:
    meet(client, Fault.TOO_MANY)
    answer = client.note("one")
    assert answer.status_code == 429
    assert "retry-after" not in answer.headers
    assert client.noted() == []
    assert client.note("one").status_code == 201


def test_too_many_is_answered_with_a_time_to_wait(client: Client) -> None:
    meet(client, Fault.TOO_MANY_WAIT)
    answer = client.note("one")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert client.noted() == []


def test_an_error_before_the_effect_leaves_no_effect(client: Client) -> None:
    meet(client, Fault.ERROR_BEFORE)
    assert client.note("one").status_code == 500
    assert (client.noted(), client.booth.state) == ([], [])


def test_an_expired_token_is_refused_once(client: Client) -> None:
    meet(client, Fault.TOKEN_EXPIRED)
    assert client.note("one").status_code == 401
    assert client.noted() == []
    assert client.note("one").status_code == 201


def test_a_reset_before_the_effect_leaves_no_effect(client: Client) -> None:
    meet(client, Fault.RESET_BEFORE)
    with pytest.raises(httpx2.TransportError):
        client.note("one")
    assert client.noted() == []


def test_the_handler_of_a_page_sees_that_its_token_is_to_be_refused(client: Client) -> None:
    meet(client, Fault.CURSOR_EXPIRED)
    assert client.http.get("/notes").json()["fault"] == "CURSOR_EXPIRED"
    assert client.http.get("/notes").json()["fault"] == ""


# The effect happens, the news of it does not arrive whole.


def test_an_error_after_the_effect_hides_it(client: Client) -> None:
    meet(client, Fault.ERROR_AFTER)
    assert client.note("one").status_code == 500
    assert (client.noted(), client.booth.state) == (["one"], ["one"])


def test_a_reset_after_the_effect_hides_it(client: Client) -> None:
    meet(client, Fault.RESET_AFTER)
    with pytest.raises(httpx2.TransportError):
        client.note("one")
    assert client.noted() == ["one"]


def test_a_time_out_comes_after_the_effect(client: Client) -> None:
    meet(client, Fault.TIME_OUT)
    with pytest.raises(httpx2.ReadTimeout):
        client.http.post("/notes", json={"note": "one"}, timeout=0.1)
    assert client.noted() == ["one"]


def test_a_truncated_answer_breaks_off(client: Client) -> None:
    meet(client, Fault.TRUNCATED)
    with pytest.raises(httpx2.TransportError):
        client.note("one")
    assert client.noted() == ["one"]


def test_a_malformed_answer_is_a_success_that_is_not_json(client: Client) -> None:
    meet(client, Fault.MALFORMED)
    answer = client.note("one")
    assert answer.status_code == 201
    assert "json" in answer.headers["content-type"]
    with pytest.raises(ValueError, match="line 1"):
        answer.json()
    assert client.noted() == ["one"]


def test_a_dripping_answer_comes_in_many_pieces_and_whole(client: Client) -> None:
    client.note("a note that is long enough to fall in drops, and a little longer than that")
    meet(client, Fault.SLOW_DRIP)
    with client.http.stream("GET", "/notes/0") as answer:
        pieces = list(answer.iter_raw())
    assert len(pieces) > 1
    assert json.loads(b"".join(pieces))["number"] == "0"


# The news is wrong.


def test_a_success_may_have_changed_nothing(client: Client) -> None:
    meet(client, Fault.NOT_APPLIED)
    answer = client.note("one")
    assert (answer.status_code, answer.json()) == (201, {"notes": 1})
    assert (client.noted(), client.booth.state) == ([], [])
    assert client.booth.world.journal.entries(what="webhook") == []
    assert client.note("two").json() == {"notes": 1}


def test_a_number_that_was_given_in_vain_is_given_to_nothing_else() -> None:
    office = PracticeOffice(World())
    with office.lock:
        before = office.add_customer("ann@example.com")
    office.faults.then(Fault.NOT_APPLIED)
    body = b'{"email": "bob@example.com", "name": "Bob"}'
    told = [
        office.answer(Request("POST", "/v1/customers", {}, {"authorization": f"Bearer {TOKEN}"}, body)).body["id"]
        for _ in range(2)
    ]
    assert len({before, *told}) == 3
    assert sorted(office.people()) == sorted({before, told[1]})


def test_a_stale_read_shows_the_state_that_was_remembered(client: Client) -> None:
    client.note("old")
    client.booth.remember()
    client.note("new")
    meet(client, Fault.STALE_READ)
    assert client.http.get("/notes").json()["notes"] == ["old"]
    assert client.http.get("/notes").json()["notes"] == ["old", "new"]


def test_a_stale_read_without_a_memory_is_fresh(client: Client) -> None:
    client.note("new")
    meet(client, Fault.STALE_READ)
    assert client.http.get("/notes").json()["notes"] == ["new"]


def pages(client: Client, *faults: Fault) -> list[list[str]]:
    """All pages, the second and following ones under these faults."""
    found, start = [], 0
    while True:
        answer = client.http.get("/notes", params={"from": start}).json()
        found.append(answer["notes"])
        if answer["next"] is None:
            return found
        start = answer["next"]
        meet(client, *faults)
        faults = ()


def test_a_duplicate_page_brings_a_record_again_and_loses_none(client: Client) -> None:
    for text in "abcdefg":
        client.note(text)
    assert pages(client) == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
    assert pages(client, Fault.DUPLICATE_PAGE) == [["a", "b", "c"], ["c", "d", "e"], ["f", "g"]]


def test_a_missing_page_leaves_a_record_out_for_now(client: Client) -> None:
    for text in "abcdefg":
        client.note(text)
    assert pages(client, Fault.MISSING_PAGE) == [["a", "b", "c"], ["d", "e"], ["g"]]
    assert pages(client) == [["a", "b", "c"], ["d", "e", "f"], ["g"]]


def test_the_platforms_clock_may_be_off_by_minutes(client: Client) -> None:
    client.booth.world.clock.stand_still(NOON)
    meet(client, Fault.CLOCK_SKEW)
    answer = client.http.get("/time")
    assert parsedate_to_datetime(answer.headers["date"]) - NOON == timedelta(minutes=7)
    assert datetime.fromisoformat(answer.json()["at"]) - NOON == timedelta(minutes=7)
    assert datetime.fromisoformat(client.http.get("/time").json()["at"]) == NOON


# Which fault meets which request.


def test_faults_meet_the_requests_that_they_fit_in_their_order(client: Client) -> None:
    meet(client, Fault.ERROR_AFTER, Fault.STALE_READ, Fault.TOO_MANY)
    assert client.http.get("/notes").json()["fault"] == "STALE_READ"
    assert client.note("one").status_code == 500
    assert client.http.get("/notes").status_code == 429
    assert client.booth.faults.met == 3


def test_only_faults_that_do_harm_are_counted(client: Client) -> None:
    client.note("one")
    harmless = [
        (Fault.STALE_READ, "GET", "/raw"), (Fault.MISSING_PAGE, "GET", "/notes/0"),
        (Fault.NOT_APPLIED, "PUT", "/notes/latest"), (Fault.TRUNCATED, "PUT", "/notes/latest"),
        (Fault.MALFORMED, "PUT", "/notes/latest"), (Fault.SLOW_DRIP, "PUT", "/notes/latest"),
    ]  # fmt: skip
    client.booth.remember()
    for fault, method, path in harmless:
        meet(client, fault)
        assert client.http.request(method, path, json={"note": "one"}).is_success
    assert (client.booth.faults.met, client.booth.faults.counts.total()) == (0, 0)
    meet(client, Fault.NOT_APPLIED, Fault.TOKEN_EXPIRED)
    client.http.put("/notes/latest", json={"note": "two"})
    client.http.get("/notes")
    assert client.booth.faults.counts == {
        **dict.fromkeys((fault for fault, _, _ in harmless), 0), Fault.NOT_APPLIED: 1, Fault.TOKEN_EXPIRED: 1,
    }  # fmt: skip
    told = [entry.facts["fault"] for entry in client.booth.world.journal.entries(what="request")]
    assert told == [""] * 7 + ["NOT_APPLIED", "TOKEN_EXPIRED"]


def test_the_time_of_silent_and_dripping_answers_can_be_let_pass_by_the_caller() -> None:
    booth, passed = Booth(World()), list[float]()
    with served(booth, most_seconds_silent=60.0, drip_seconds=30.0, drips=4, pause=passed.append) as (address,):
        client = Client(booth, address)
        meet(client, Fault.SLOW_DRIP, Fault.TIME_OUT)
        assert client.note("one").json() == {"notes": 1}
        assert passed == [10.0, 10.0, 10.0]
        with pytest.raises(httpx2.TransportError):
            client.note("two")
        assert passed == [10.0, 10.0, 10.0, 60.0]
        assert client.noted() == ["one", "two"]
        client.http.close()


def test_a_search_by_post_is_no_write(client: Client) -> None:
    client.note("one word")
    meet(client, Fault.ERROR_AFTER)
    assert client.http.post("/search", json={"word": "word"}).json() == {"found": ["one word"]}
    assert client.note("two").status_code == 500


@pytest.mark.parametrize("is_write", [True, False])
def test_a_schedule_is_the_same_for_the_same_seed_and_fits(is_write: bool) -> None:
    def drawn(seed: int) -> list[Fault | None]:
        faults = Faults(seed=seed, share=0.3)
        return [faults.draw(is_write=is_write) for _ in range(500)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    met = [fault for fault in drawn(1) if fault]
    assert 100 < len(met) < 200
    assert not set(met) & (READS_ONLY if is_write else WRITES_ONLY)
    assert set(met) == set(Fault) - (READS_ONLY if is_write else WRITES_ONLY)


def test_a_schedule_ends_with_the_most_it_may_meet_and_when_it_is_stopped() -> None:
    faults = Faults(share=1.0, kinds=(Fault.TOO_MANY,), most=3)
    assert [faults.draw(is_write=True) for _ in range(5)] == [Fault.TOO_MANY] * 3 + [None] * 2
    endless = Faults(share=1.0)
    endless.then(Fault.TOO_MANY)
    endless.stop()
    assert endless.draw(is_write=False) is None
    assert Faults(share=1.0, kinds=(Fault.STALE_READ,)).draw(is_write=True) is None


def test_token_endpoints_need_no_key_and_meet_no_fault(client: Client) -> None:
    meet(client, Fault.ERROR_BEFORE)
    answer = client.http.post("/token", data={"grant_type": "x"}, headers={"Booth-Key": ""})
    assert answer.json() == {"access_token": "booth-token", "asked": [["grant_type", "x"]]}
    assert client.http.get("/notes").status_code == 500


# Who is let in, what is found, and how often.


def test_without_the_key_nobody_is_let_in(client: Client) -> None:
    answer = client.http.post("/notes", json={"note": "one"}, headers={"Booth-Key": "wrong"})
    assert answer.status_code == 401
    assert client.noted() == []


def test_a_path_that_is_spelled_out_wins_over_one_with_a_name(client: Client) -> None:
    client.note("one")
    assert client.http.get("/notes/latest").json() == {"note": "one"}
    assert client.http.get("/notes/0").json() == {"note": "one", "number": "0"}


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", "/notes"), ("GET", "/notes/1/2")])
def test_what_is_not_there_is_not_found(client: Client, method: str, path: str) -> None:
    assert client.http.request(method, path).status_code == 404


def test_an_account_that_is_not_there_is_not_found(client: Client) -> None:
    address = str(client.http.base_url).replace("/main", "/other")
    assert httpx2.get(f"{address}notes", headers={"Booth-Key": KEY}, trust_env=False).status_code == 404


def test_accounts_hold_each_their_own() -> None:
    world = World()
    one, two = Booth(world, account="one"), Booth(world, account="two")
    with served(one, two) as addresses:
        first, second = (Client(booth, address) for booth, address in zip((one, two), addresses, strict=True))
        first.note("mine")
        assert second.http.get("/notes").json()["notes"] == []
        assert [entry.facts["account"] for entry in world.journal.entries(what="effect")] == ["one"]
        first.http.close()
        second.http.close()


def test_a_body_that_is_no_json_value_goes_out_as_it_is(client: Client) -> None:
    answer = client.http.get("/raw")
    assert (answer.text, answer.headers["content-type"]) == ("as it is", "text/plain")


def test_a_body_that_is_too_long_is_not_taken(client: Client) -> None:
    place = client.http.base_url
    with socket.create_connection((place.host, place.port or 80), timeout=5) as wire:
        wire.sendall(f"POST {place.path}notes HTTP/1.1\r\nContent-Length: {MOST_BYTES + 1}\r\n\r\n".encode())
        assert b" 413 " in wire.recv(100).splitlines()[0]


def test_a_bucket_empties_says_how_long_and_fills_again(client: Client) -> None:
    clock = client.booth.world.clock
    clock.stand_still(NOON)
    assert [client.http.get("/slow").status_code for _ in range(3)] == [200, 200, 429]
    assert client.http.get("/slow").headers["retry-after"] == "1"
    assert client.http.get("/notes").status_code == 200
    clock.advance(timedelta(seconds=1))
    assert [client.http.get("/slow").status_code for _ in range(2)] == [200, 429]


def test_a_call_may_cost_more_than_one(client: Client) -> None:
    client.booth.world.clock.stand_still(NOON)
    assert client.http.get("/slow?cost=1.5").status_code == 200
    assert client.http.get("/slow?cost=1").status_code == 429
    assert client.http.get("/slow?cost=0.5").status_code == 200


def test_what_was_refused_for_its_key_costs_nothing(client: Client) -> None:
    client.booth.world.clock.stand_still(NOON)
    for _ in range(5):
        assert client.http.get("/slow", headers={"Booth-Key": ""}).status_code == 401
    assert client.http.get("/slow").status_code == 200


def test_handlers_run_one_at_a_time(client: Client) -> None:
    threads = [Thread(target=client.note, args=(f"note {number}",)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(client.booth.state) == sorted(f"note {number}" for number in range(20))
    assert sorted(client.noted()) == sorted(client.booth.state)


def test_closing_lets_a_silent_request_go() -> None:
    booth = Booth(World())
    wire = Wire(most_seconds_silent=3600.0)
    address = wire.add(booth)
    wire.start()
    booth.faults.then(Fault.TIME_OUT)
    ended: list[Any] = []

    def ask() -> None:
        try:
            httpx2.post(f"{address}/notes", json={"note": "one"}, headers={"Booth-Key": KEY}, trust_env=False)
        except httpx2.TransportError as error:
            ended.append(error)

    thread = Thread(target=ask)
    thread.start()
    while not booth.world.journal.entries(what="request"):
        thread.join(0.01)
    wire.close()
    thread.join(5)
    assert len(ended) == 1


# The journal.


def test_the_journal_tells_requests_effects_and_faults_in_order(client: Client) -> None:
    client.booth.world.clock.stand_still(NOON)
    client.note("one")
    meet(client, Fault.ERROR_AFTER)
    client.note("two")
    client.http.get("/nothing")
    journal = client.booth.world.journal
    told = [(entry.what, entry.name) for entry in journal.entries() if entry.what != "webhook"]
    assert told == [
        ("effect", "noted"), ("request", "POST /notes"), ("effect", "noted"), ("request", "POST /notes"),
        ("request", "GET /nothing"),
    ]  # fmt: skip
    requests = journal.entries(platform="booth", what="request")
    assert [entry.facts["status"] for entry in requests] == [201, 500, 404]
    assert [entry.facts["fault"] for entry in requests] == ["", "ERROR_AFTER", ""]
    assert {entry.at for entry in requests} == {NOON}
    numbers = [entry.number for entry in journal.entries()]
    assert numbers == list(range(len(numbers)))
    assert journal.entries(platform="another") == []
