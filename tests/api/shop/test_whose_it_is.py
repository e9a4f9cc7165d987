"""Nobody sees or changes what is another's: by a foreign token, a foreign key, a forged origin, a guessed code."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import RequestFactory

from finalmarket.access import shop_devices, shop_keys
from finalmarket.access.callers import address_of
from finalmarket.access.shop_models import ShopDevice
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import persons
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.kernel import clock
from finalmarket.orders import cart as carts
from finalmarket.orders.models import Cart, Order
from tests.api.calling import problem, told
from tests.api.shop.conftest import Shops
from tests.api.shop.shopper import Page, code_of_newest_mail, kiosk

ANN, EVE = "ann@example.com", "eve@example.com"


def test_the_cart_follows_who_signed_in_from_the_web_to_the_app(shops: Shops) -> None:
    cart = shops.web.cart(("TEA", 2))
    answer = shops.web.sign_in(ANN, cart=cart)
    assert answer["email"] == ANN
    shops.app.sign_in(ANN)
    mine = told(shops.app.post("/carts"), 201)
    assert [(line["sku"], line["quantity"]) for line in mine["lines"]] == [("TEA", 2)] and mine["is_mine"]
    told(shops.app.post(f"/carts/{mine['token']}/lines", {"sku": "SUGAR"}))
    assert told(shops.web.get(f"/carts/{cart}"))["units"] == 3
    told(shops.app.order(mine["token"], name="", email=""), 422)  # a name is missing: they never said one
    told(shops.app.order(mine["token"], email=""), 201)
    assert told(shops.web.get(f"/carts/{cart}"))["state"] == "checked_out"
    assert told(shops.web.post("/carts"), 201)["lines"] == []


def test_a_foreign_cart_is_not_there(shops: Shops) -> None:
    cart = shops.web.cart(("TEA", 2))
    shops.web.sign_in(ANN, cart=cart)
    stranger = Page(shops.web.channel)
    problem(stranger.get(f"/carts/{cart}"), "not-found", 404)
    problem(stranger.post(f"/carts/{cart}/lines", {"sku": "TEA"}), "not-found", 404)
    problem(stranger.order(cart), "not-found", 404)
    stranger.sign_in(EVE, cart=cart)  # which they cannot take along
    problem(stranger.get(f"/carts/{cart}"), "not-found", 404)
    problem(shops.app.get(f"/carts/{cart}"), "not-found", 404)
    problem(shops.web.get(f"/carts/{uuid4()}"), "not-found", 404)
    assert told(shops.web.get(f"/carts/{cart}"))["units"] == 2


def test_carts_of_other_doors_are_not_there(shops: Shops) -> None:
    ann = resolve(Contact(email=ANN), source="test")
    assert ann is not None
    cart = carts.open_cart(shops.web.channel, customer_id=ann.pk)
    nobodys = carts.open_cart(shops.web.channel)
    shops.web.sign_in(ANN)
    problem(shops.web.get(f"/carts/{cart.token}"), "not-found", 404)
    problem(shops.web.get(f"/carts/{nobodys.token}"), "not-found", 404)


def test_saying_to_be_somebody_shows_nothing_of_them(shops: Shops) -> None:
    """Whoever orders under a foreign address on their device sees neither cart nor wishes nor orders of that person."""
    shops.web.sign_in(ANN, cart=shops.web.cart(("TEA", 5)))
    told(shops.web.write("PUT", f"/wishlist/{shops.market.variants['HONEY'].pk}"))
    stranger = Page(shops.web.channel, headers={"X-Shop-Visitor": "eves-laptop"})
    told(stranger.order(stranger.cart(("SUGAR", 1)), email=ANN), 201)
    persons.settle()
    assert told(stranger.post("/carts"), 201)["lines"] == []
    stranger.sign_in(EVE)
    # Evidence may say what it likes: somebody of the staff merges them, by mistake or not.
    profiles = OmnichannelCustomer.objects.filter(identities__value__in=[ANN, EVE]).order_by("pk").distinct()
    first, second = profiles
    first.merge(second, actor="olga")
    persons.settle()
    assert told(stranger.post("/carts"), 201)["lines"] == []
    assert told(stranger.get("/wishlist"))["items"] == []
    assert told(stranger.get("/me/orders"))["items"] == []
    assert told(stranger.get("/me"))["email"] == EVE
    assert len(told(shops.web.get("/me/orders"))["items"]) == 1


def test_an_order_is_asked_about_by_its_token_alone(shops: Shops) -> None:
    order = told(shops.web.order(shops.web.cart(("TEA", 1))), 201)
    token = order["token"]
    number = Order.objects.get().pk
    for made_up in (str(number), token[:-2], token.replace(str(number), str(number + 1), 1), "x" * 200, "%00", "é"):
        problem(shops.web.get(f"/orders/{made_up}"), "not-found", 404)
    problem(shops.app.get(f"/orders/{token}"), "not-found", 404)


def test_a_key_of_another_channel_or_of_nobody_opens_nothing(shops: Shops) -> None:
    cart = shops.web.cart(("TEA", 1))
    problem(shops.app.order(cart), "not-found", 404)
    for key in ("", "pk_nobody-has-this-key", "fm_0123456789ab_" + "x" * 43):
        problem(shops.web.get("/products", headers={"X-Shop-Key": key}), "not-let-in", 401)
    shop_keys.end(shops.web.key.pk)
    problem(shops.web.get("/products"), "not-let-in", 401)


def test_pages_of_other_origins_are_let_in_where_the_key_names_them(shops: Shops) -> None:
    own = shops.web.get("/products", headers={"Origin": "http://testserver"})
    assert own.headers["Access-Control-Allow-Origin"] == "http://testserver"
    forged = shops.web.get("/products", headers={"Origin": "https://evil.example"})
    problem(forged, "not-allowed", 403)
    assert "Access-Control-Allow-Origin" not in forged.headers
    problem(shops.web.get("/products", headers={"Origin": "null"}), "not-allowed", 403)
    shops.web.key.origins = ["https://shop.example"]
    shops.web.key.save()
    named = shops.web.get("/products", headers={"Origin": "https://shop.example"})
    assert told(named)["items"]
    assert named.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "Access-Control-Allow-Credentials" not in named.headers
    problem(shops.web.get("/products", headers={"Origin": "https://shop.example.evil.example"}), "not-allowed", 403)
    before = shops.web.client.options("/api/shop/v1/carts", headers={"Origin": "https://shop.example"})
    assert before.status_code == 204 and "x-shop-key" in before.headers["Access-Control-Allow-Headers"]


def test_one_address_calls_as_often_as_the_key_says(shops: Shops) -> None:
    page = Page(shops.web.channel)
    page.key.calls_per_minute = 3
    page.key.save()
    for _ in range(3):
        told(page.get("/shop"))
    answer = page.get("/shop")
    problem(answer, "too-fast", 429)
    assert int(answer.headers["Retry-After"]) > 0
    assert page.client.get(  # another address is not concerned
        "/api/shop/v1/shop", headers=page.headers, REMOTE_ADDR="192.0.2.7"
    ).status_code == 200  # fmt: skip


def test_guessing_codes_is_slow_and_soon_of_no_use(shops: Shops) -> None:
    with clock.steered() as time:
        assert shops.web.post("/sign-in", {"email": ANN}).status_code == 204
        guess = {"email": ANN, "code": "000000"}
        kinds = [json.loads(shops.web.post("/sign-in/code", guess).content)["type"] for _ in range(12)]
        assert kinds.count("urn:finalmarket:problem:too-fast") == 3
        time.advance(timedelta(minutes=1))
        page = Page(shops.web.channel)
        page.sign_in("ben@example.com")  # nobody else is locked out
    with clock.steered() as time:
        for _ in range(4):
            time.advance(timedelta(minutes=1))
            told_once = shops.web.post("/sign-in", {"email": ANN})
        assert told_once.status_code == 204
        problem(shops.web.post("/sign-in", {"email": ANN}), "too-fast", 429)


def test_asking_for_a_code_tells_nothing_of_who_is_known(shops: Shops) -> None:
    known, unknown = (shops.web.post("/sign-in", {"email": one}) for one in (ANN, "nobody@example.com"))
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)


def test_a_session_is_of_one_shop_and_ends(shops: Shops) -> None:
    shops.web.sign_in(ANN)
    token = shops.web.headers["Authorization"]
    problem(shops.app.get("/me", headers={"Authorization": token}), "not-let-in", 401)
    problem(shops.app.get("/me"), "not-let-in", 401)
    assert shops.web.post("/sign-out").status_code == 204
    problem(shops.web.get("/me"), "not-let-in", 401)
    problem(shops.web.get("/products"), "not-let-in", 401)  # so that the page notices


def test_wishes_are_those_of_who_signed_in(shops: Shops) -> None:
    tea = shops.market.variants["TEA"].pk
    problem(shops.web.write("PUT", f"/wishlist/{tea}"), "not-let-in", 401)
    shops.web.sign_in(ANN)
    for _ in range(2):
        wishes = told(shops.web.write("PUT", f"/wishlist/{tea}"))
    assert [one["sku"] for one in wishes["items"]] == ["TEA"]
    shops.app.sign_in(ANN)
    assert told(shops.app.get("/wishlist")) == wishes
    problem(shops.app.write("PUT", "/wishlist/999999"), "not-found", 404)
    assert told(shops.app.write("DELETE", f"/wishlist/{tea}"))["items"] == []
    assert code_of_newest_mail()


def test_what_the_shop_does_not_sell_is_to_its_shoppers_as_if_it_were_not_there(shops: Shops) -> None:
    """The key stands in every page: whoever counts numbers reads nothing of the rest of the catalogue."""
    secret = shops.market.goods("SECRET", price="99.00", warehouse=5)
    shops.web.sign_in(ANN)
    cart = shops.web.cart()
    said = []
    for number in (secret.pk, 10**9):
        answers = (
            problem(shops.web.post(f"/carts/{cart}/lines", {"variant": number}), "refused", 422),
            problem(shops.web.write("PUT", f"/carts/{cart}/lines/{number}", {"quantity": 1}), "refused", 422),
            problem(shops.web.post("/orders", {"lines": [{"variant": number}]}, token=f"{number}"), "refused", 422),
            problem(shops.web.write("PUT", f"/wishlist/{number}"), "not-found", 404),
            problem(shops.web.get(f"/variants/{number}/stores"), "not-found", 404),
        )
        said.append([one["detail"].replace(str(number), "…") for one in answers])
    assert said[0] == said[1]
    skus = [problem(shops.web.post(f"/carts/{cart}/lines", {"sku": sku}), "invalid", 422) for sku in ("SECRET", "NONE")]
    assert skus[0]["detail"].replace("SECRET", "NONE") == skus[1]["detail"]
    assert told(shops.web.get(f"/carts/{cart}"))["lines"] == []


def test_what_is_in_a_cart_already_is_shown_and_changed_where_it_is_not_sold_any_more(shops: Shops) -> None:
    sugar = shops.market.variants["SUGAR"].pk
    shops.web.sign_in(ANN, cart=shops.web.cart(("SUGAR", 2)))
    shops.app.channel.listings.filter(variant=sugar).delete()
    shops.app.sign_in(ANN)
    cart = told(shops.app.post("/carts"), 201)["token"]
    shown = told(shops.app.write("PUT", f"/carts/{cart}/lines/{sugar}", {"quantity": 1}))
    assert [(one["quantity"], one["differences"][0]["kind"]) for one in shown["lines"]] == [(1, "not_sold")]
    problem(shops.app.post(f"/carts/{cart}/lines", {"variant": sugar}), "refused", 422)
    assert told(shops.app.write("DELETE", f"/carts/{cart}/lines/{sugar}"))["lines"] == []


def test_a_wishlist_has_an_end(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finalmarket.orders.wishes.MOST_WISHES", 1)
    tea, sugar = (shops.market.variants[sku].pk for sku in ("TEA", "SUGAR"))
    shops.web.sign_in(ANN)
    for _ in range(2):
        told(shops.web.write("PUT", f"/wishlist/{tea}"))
    problem(shops.web.write("PUT", f"/wishlist/{sugar}"), "refused", 422)
    assert [one["sku"] for one in told(shops.web.get("/wishlist"))["items"]] == ["TEA"]


def test_a_kiosk_is_let_in_when_it_is_paired_and_until_it_is_ended(shops: Shops) -> None:
    page = Page(shops.kiosk)
    problem(page.get("/products"), "not-let-in", 401)
    problem(page.post("/devices/pair", {"code": "ABCD-2345"}), "refused", 422)
    problem(shops.web.post("/devices/pair", {"code": "ABCD-2345"}), "not-allowed", 403)
    paired = kiosk(shops.kiosk)
    told(paired.get("/products"))
    other = SalesChannel.objects.create(name="Other", channel_type="kiosk")
    problem(Page(other).get("/products", headers={"X-Shop-Device": paired.headers["X-Shop-Device"]}), "not-let-in", 401)
    device = ShopDevice.objects.get(paired_at__isnull=False)
    shop_devices.end(device.pk)
    problem(paired.get("/products"), "not-let-in", 401)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "unreadable", 400), (b"[1]", "invalid", 422), ({"sku": "TEA", "quantity": 0}, "invalid", 422),
        ({"sku": "TEA", "price": "0.01"}, "invalid", 422), ({"sku": "NONE"}, "invalid", 422),
        ({"sku": "T\x00A"}, "invalid", 422), ({"variant": 10**18}, "refused", 422),
        ({"sku": "TEA", "quantity": 10**9}, "invalid", 422),
    ],
)  # fmt: skip
def test_what_is_no_line_is_refused(shops: Shops, body: object, kind: str, status: int) -> None:
    problem(shops.web.post(f"/carts/{shops.web.cart()}/lines", body), kind, status)


def test_what_is_said_to_a_call_that_takes_no_body_is_refused_not_passed_over(shops: Shops) -> None:
    cart = shops.web.cart(("TEA", 1))
    before = Cart.objects.count()
    for method, path in (("POST", "/carts"), ("POST", f"/carts/{cart}/hold"), ("POST", f"/carts/{cart}/release")):
        said = problem(shops.web.write(method, path, b"{"), "unreadable", 400)
        assert said["errors"][0]["where"] == "body", path
        problem(shops.web.write(method, path, {"sku": "TEA"}), "invalid", 422)
    assert Cart.objects.count() == before
    told(shops.web.post("/carts", {}), 201)


def test_nothing_is_set_in_a_browser_and_nothing_is_kept_by_it(shops: Shops) -> None:
    answer = shops.web.post("/carts")
    assert not answer.cookies
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("is_behind_proxy", "remote", "forwarded", "counted_as"),
    [
        (False, "192.0.2.7", "198.51.100.1", "192.0.2.7"),  # anybody can say so
        (True, "10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the last is what the proxy saw
        (True, "10.0.0.1", "", "10.0.0.1"), (False, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        (True, "10.0.0.1", "nonsense", "nowhere"), (False, "::ffff:192.0.2.7", "", "192.0.2.7"),
        (False, "fe80::1%eth0", "", "fe80::/64"),
    ],
)  # fmt: skip
def test_calls_are_counted_by_the_address_that_cannot_be_made_up(
    is_behind_proxy: bool, remote: str, forwarded: str, counted_as: str, settings: Any
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if is_behind_proxy else None
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert address_of(RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote)) == counted_as
