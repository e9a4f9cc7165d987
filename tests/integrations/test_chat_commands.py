"""What a message in a chat asks of us, and what is left to people."""

from __future__ import annotations

import pytest

from finalmarket.integrations.chat.commands import Command, read


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("/stock COAT-M", Command("stock", "COAT-M")),
        ("/STOCK  coat m ", Command("stock", "coat m")),
        ("/order", Command("order", "")),
        ("/order #1001", Command("order", "1001")),
        ("/buy COAT-M 2", Command("buy", "COAT-M", 2)),
        ("/buy COAT-M x2", Command("buy", "COAT-M", 2)),
        ("/buy green tea", Command("buy", "green tea", 1)),
        ("/buy COAT-M 0", Command("buy", "COAT-M", 1)),
        ("/buy COAT-M 999", Command("buy", "COAT-M", 99)),
        ("where is my order 1001?", Command("order", "1001")),
        ("Hi, where's my order #W-1001", Command("order", "W-1001")),
        ("Wo ist meine Bestellung Nr. 1001?", Command("order", "1001")),
        ("where is my order", Command("order", "")),
        ("Is the Coat (M) in stock?", Command("stock", "Coat (M)", is_guessed=True)),
        ("do you have green tea?", Command("stock", "green tea", is_guessed=True)),
        ("Ist der Mantel noch auf Lager?", Command("stock", "Mantel", is_guessed=True)),
        ("yes please", Command("yes")),
        ("Ja!", Command("yes")),
        ("no thanks", Command("no")),
        ("123 456", Command("code", "123456")),
        ("code 123456", Command("code", "123456")),
    ],
)
def test_what_a_customer_asks_is_understood(text: str, asked: Command) -> None:
    assert read(text, "customer") == asked


@pytest.mark.parametrize(
    "text",
    [
        "", "hello", "where is my order and why is nobody answering", "/", "/stockings are nice",
        "yes I said that before", "my number is 123456", "I want to buy a coat", "x" * 500, "/buy", "1234567",
    ],
)  # fmt: skip
def test_what_is_none_of_these_is_for_people(text: str) -> None:
    assert (read(text, "customer") or Command("buy")).name == "buy"


@pytest.mark.parametrize("text", ["where is my order 1001?", "yes", "123456", "is tea in stock"])
def test_agents_ask_by_commands_alone(text: str) -> None:
    assert read(text, "agent") is None
    assert read("/order 1001", "note") == Command("order", "1001")
