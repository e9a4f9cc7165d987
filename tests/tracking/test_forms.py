"""Forms and addresses: nobody keeps the house busy by what it reads before it knows whose key it is."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.tracking.teller import KEY, Shop, send

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PATHS = ("/capture/", "/track", "/matomo.php")


@pytest.mark.parametrize("path", PATHS)
def test_a_form_of_more_fields_than_any_client_sends_is_refused_unread(shop: Shop, path: str) -> None:
    answer = send(path, gzip.compress(b"ab&" * 340_000), FORM)
    assert answer.status_code == 400
    assert "more than 1000 fields" in json.loads(answer.content)["error"]


@pytest.mark.parametrize("path", PATHS)
def test_a_form_is_smaller_than_a_body_of_json_may_be(shop: Shop, path: str) -> None:
    answer = send(path, gzip.compress(b"data=" + b"%41" * 400_000), FORM)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", PATHS)
def test_so_is_an_address_of_more_fields(shop: Shop, path: str) -> None:
    assert send(f"{path}?{'a&' * 1_001}", b"", {}, "GET").status_code == 400


def test_an_event_of_a_batch_with_too_many_fields_is_set_aside_alone(shop: Shop) -> None:
    event = f"?idsite={KEY}&rec=1&uid=u1&action_name=Home"
    told = json.dumps({"requests": [event, event + "&x=1" * 100]}).encode()
    answer = send("/matomo.php", told, {"Content-Type": "application/json"})
    assert json.loads(answer.content) == {"status": "success", "tracked": 1, "invalid": 1}
    assert shop.kinds() == ["page_view"]
    assert shop.set_aside() == ["it has more than 100 fields"]
