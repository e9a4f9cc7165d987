"""finalmarket inbound mail < message"""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from finalmarket.channels.models import SalesChannel
from finalmarket.cli import inbound
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import OrderRequest
from tests.orders.mailed.letters import letter
from tests.orders.market import open_market


@pytest.fixture(autouse=True)
def _market(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "database_ready", lambda: None)
    market = open_market()
    market.goods("TEA", warehouse=10)
    SalesChannel.objects.create(name="Mail", channel_type="email").add_product(market.product)


def _run(*words: str, message: bytes) -> str:
    done = CliRunner().invoke(inbound.command, ["mail", *words], input=message)
    if done.exception:
        raise done.exception
    return done.output


def test_a_message_on_standard_input_becomes_a_request_once() -> None:
    message = letter("3 x TEA\n2 x unobtainium")
    number = _run(message=message).split(":")[0]
    assert number == f"request {OrderRequest.objects.get().pk}"
    assert _run("--channel", "mail", message=message) == f"{number}: this message was handed in before\n"


def test_which_channel_is_meant_has_to_be_clear() -> None:
    SalesChannel.objects.create(name="Mail too", channel_type="email")
    with pytest.raises(UserError, match="several e-mail channels"):
        _run(message=letter("3 x TEA"))
    with pytest.raises(UserError, match='no e-mail channel "web-shop"'):
        _run("--channel", "web-shop", message=letter("3 x TEA"))
    assert "1 line, 1 of them read, 0 to be looked at" in _run("--channel", "Mail too", message=letter("3 x TEA"))
