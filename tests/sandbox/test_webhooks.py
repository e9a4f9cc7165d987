"""Webhooks that a stand-in sends: doubled and shuffled when told to, tried again, written down."""

from __future__ import annotations

from collections import Counter

import pytest

from finalmarket.sandbox.webhooks import TRIES, Letter, Sender
from finalmarket.sandbox.world import World
from tests.sandbox.booth import Booth, closed_port, mailbox


def letters(url: str, count: int) -> list[Letter]:
    return [Letter(url, {"Content-Type": "text/plain"}, f"{number}".encode(), name="noted") for number in range(count)]


def test_each_letter_arrives_once_and_in_order_unless_told_otherwise() -> None:
    with mailbox() as box:
        sender = Sender(World(), "booth")
        for letter in letters(box.url, 20):
            sender.send(letter)
        assert sender.wait()
        assert box.came == [f"{number}".encode() for number in range(20)]
        sender.stop()


def test_copies_arrive_up_to_that_often_and_each_at_least_once() -> None:
    with mailbox() as box:
        sender = Sender(World(seed=3), "booth", copies=5)
        for letter in letters(box.url, 40):
            sender.send(letter)
        assert sender.wait()
        sender.stop()
    counted = Counter(box.came)
    assert set(counted) == {f"{number}".encode() for number in range(40)}
    assert min(counted.values()) >= 1
    assert max(counted.values()) <= 5
    assert len(box.came) > 60


def test_shuffled_letters_arrive_all_in_another_order() -> None:
    with mailbox() as box:
        sender = Sender(World(seed=3), "booth", shuffled=10)
        # The first one opens the thread; while it is under way the others come together.
        for letter in letters(box.url, 40):
            sender.send(letter)
        assert sender.wait()
        sender.stop()
    sent = [f"{number}".encode() for number in range(40)]
    assert sorted(box.came) == sorted(sent)
    assert box.came != sent


def test_a_letter_that_is_not_taken_is_tried_again() -> None:
    with mailbox(refusals=2) as box:
        world = World()
        sender = Sender(world, "booth")
        sender.send(letters(box.url, 1)[0])
        assert sender.wait()
        sender.stop()
    assert (box.came, box.tries) == ([b"0"], 3)
    (entry,) = world.journal.entries(what="webhook")
    assert (entry.name, entry.facts) == ("noted", {"url": box.url, "status": 200})


@pytest.mark.parametrize("is_there", [True, False])
def test_a_letter_that_is_never_taken_is_given_up(is_there: bool) -> None:
    with mailbox(refusals=100) as box:
        world = World()
        sender = Sender(world, "booth")
        url = box.url if is_there else f"http://127.0.0.1:{closed_port()}/"
        sender.send(letters(url, 1)[0])
        assert sender.wait()
        sender.stop()
    assert box.tries == (TRIES if is_there else 0)
    assert [entry.facts["status"] for entry in world.journal.entries(what="webhook")] == [503 if is_there else 0]


def test_while_muted_nothing_is_sent() -> None:
    with mailbox() as box:
        sender = Sender(World(), "booth")
        first, second = letters(box.url, 2)
        with sender.muted():
            sender.send(first)
        sender.send(second)
        assert sender.wait()
        sender.stop()
    assert box.came == [b"1"]


def test_stopping_sends_first_what_waits() -> None:
    with mailbox() as box:
        sender = Sender(World(), "booth")
        for letter in letters(box.url, 10):
            sender.send(letter)
        sender.stop()
        assert len(box.came) == 10


def test_a_sender_that_was_stopped_sends_again_when_asked() -> None:
    with mailbox() as box:
        booth = Booth(World())
        first, second = letters(box.url, 2)
        booth.sender.send(first)
        booth.sender.stop()
        booth.sender.send(second)
        assert booth.sender.wait()
        booth.sender.stop()
    assert box.came == [b"0", b"1"]
