"""The shop's data: a store for each currency, with the products, customers and orders that are needed.

Every name in it is ours, so that what is told twice stands once. Orders never change who gets mail: people come into
the audience by them as `transactional` at most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.books import OrderContent, OrderContentLine, OrderNames
from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.order_amounts import booked_units, wanted_units
from finalmarket.connectors.own_keys import digest_of
from finalmarket.connectors.paging import read_one
from finalmarket.connectors.people import address_fields, split_name
from finalmarket.connectors.platforms.mailchimp.words import member_id, written
from finalmarket.connectors.records import ZERO, Raw
from finalmarket.connectors.vocabulary import filled

ROOT = "/ecommerce/stores"
MOST_ROWS = 1_000
PLAIN = re.compile(r"[A-Za-z0-9_-]{1,50}")
# The parts of an address, without its people; the country as a code.
IN_SHOP: Mapping[str, str] = {
    "street": "address1", "street2": "address2", "postcode": "postal_code", "city": "city", "region": "province",
    "country": "country_code",
}  # fmt: skip
PAID = {"unpaid": "pending", "authorised": "pending", "paid": "paid", "refunded": "refunded",
        "partly_refunded": "partially_refunded"}  # fmt: skip


@dataclass(slots=True)
class Shop:
    """The stores of an audience; `store` is what their ids begin with."""

    call: Callable[..., Answer] = field(repr=False)
    list_id: str
    store: str
    name: str

    def tell(self, content: OrderContent) -> OrderNames:
        """Make or change an order; what it needs is made first. Raises Rejected for one without an address or goods.

        One that is refused is told a second time: of what it needs, something may not be there though Mailchimp said
        so, and it is looked for anew.
        """
        if "@" not in content.email:
            raise Rejected("Mailchimp keeps orders by the buyer's e-mail address, and this one has none")
        lines = goods_of(content)
        if not lines:
            raise Rejected("Mailchimp keeps orders of goods, and this one has none")
        try:
            return self._tell(content, lines)
        except Rejected:
            return self._tell(content, lines)

    def _tell(self, content: OrderContent, lines: Mapping[str, OrderContentLine]) -> OrderNames:
        path = self._store(content.currency)
        for line in lines.values():
            self._product(path, line)
        customer = self._customer(path, content)
        known = self._find(f"{path}/orders/{_quoted(content.number)}")
        if known is None:
            body = {
                **order_values(content), "id": content.number, "customer": {"id": customer},
                "lines": [{"id": name, **line_values(line, content)} for name, line in lines.items()],
            }  # fmt: skip
            _named(self._send("POST", f"{path}/orders", body), content.number)
        else:
            there = f"{path}/orders/{_quoted(content.number)}"
            self._lines(there, known, lines, content)
            _named(self._send("PATCH", there, order_values(content)), content.number)
        return OrderNames(external_id=content.number, lines={name: name for name in lines})

    def find(self, number: str) -> OrderNames | None:
        """The order of that number, in whichever of our stores it is."""
        for path in self._ours():
            known = self._find(f"{path}/orders/{_quoted(number)}")
            if known is not None:
                names = read_one(known, lambda raw: [str(line["id"]) for line in raw["lines"]])
                return OrderNames(external_id=number, lines={name: name for name in names})
        return None

    def erase(self, customer: str) -> None:
        """Have a buyer deleted from all of our stores."""
        for path in self._ours():
            there = f"{path}/customers/{_quoted(customer)}"
            if_there(lambda there=there: self.call("DELETE", there, repeatable=True))  # type: ignore[misc]

    def _ours(self) -> list[str]:
        """The paths of our stores."""
        answer = self.call("GET", ROOT, params={"count": str(MOST_ROWS), "fields": "stores.id"})
        names = [str(row.get("id")) for row in rows_in(answer, "stores")]
        return [f"{ROOT}/{_quoted(name)}" for name in names if name.startswith(f"{self.store}-")]

    # What an order needs.

    def _store(self, currency: str) -> str:
        """The path of the store of a currency, which is made where there is none."""
        name = f"{self.store}-{currency.lower()}"
        path = f"{ROOT}/{_quoted(name)}"
        known = self._find(path)
        if known is None:
            body = {
                "id": name, "list_id": self.list_id, "name": f"{self.name} ({currency})", "currency_code": currency,
                "platform": "The Final Market",
            }  # fmt: skip
            known = fields_in(self._send("POST", ROOT, body))
        if known.get("id") != name:
            raise Unintelligible("the answer is not of the store that was asked for")
        return path

    def _product(self, path: str, line: OrderContentLine) -> None:
        """The product of a line, with its one variant; one that is there is left as it is."""
        name, title = ware_id(line), line.title or line.sku or "-"
        known = self._find(f"{path}/products/{_quoted(name)}")
        if known is None:
            variant = {"id": name, "title": title, "sku": line.sku, "price": line.unit_price}
            known = fields_in(
                self._send("POST", f"{path}/products", {"id": name, "title": title, "variants": [variant]})
            )
        if known.get("id") != name:
            raise Unintelligible("the answer is not of the product that was asked for")

    def _customer(self, path: str, content: OrderContent) -> str:
        """The buyer, named like the member of that address. What they said of mail the audience alone is told."""
        name = member_id(content.email)
        first, last = split_name(content.name)
        body = {
            "id": name, "email_address": content.email.strip(), "opt_in_status": False, "first_name": first,
            "last_name": last, "company": content.billing_address.company,
            "address": address_fields(content.billing_address, IN_SHOP),
        }  # fmt: skip
        told = {key: value for key, value in body.items() if value not in ("", {})}
        _named(self._send("PUT", f"{path}/customers/{name}", told), name)
        return name

    def _lines(
        self, path: str, known: Raw, lines: Mapping[str, OrderContentLine], content: OrderContent
    ) -> None:  # fmt: skip
        """Bring the lines of a known order up to date: change, add, and last take away, so that it is never without."""
        before = read_one(known, lambda raw: {str(line["id"]): line for line in raw["lines"]})
        for name, line in lines.items():
            values = line_values(line, content)
            if name not in before:
                self._send("POST", f"{path}/lines", {"id": name, **values})
            elif any(not _equal(before[name].get(key), value) for key, value in values.items()):
                self._send("PATCH", f"{path}/lines/{_quoted(name)}", values)
        for name in before.keys() - lines.keys():
            self.call("DELETE", f"{path}/lines/{_quoted(name)}", repeatable=True)

    def _send(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        """A write of a thing that is named by us: it may be made twice without harm."""
        return self.call(method, path, exact=dict(body), repeatable=True)

    def _find(self, path: str) -> Raw | None:
        return if_there(lambda: fields_in(self.call("GET", path), "id"))


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _named(answer: Answer, name: str) -> None:
    if fields_in(answer, "id")["id"] != name:
        raise Unintelligible("the answer is not of what was told", status=answer.status)


def _equal(before: Any, after: Any) -> bool:
    is_number = isinstance(before, (int, Decimal)) and isinstance(after, (int, Decimal))
    return bool(Decimal(before) == Decimal(after) if is_number else before == after)


# From our words to its own.


def goods_of(content: OrderContent) -> dict[str, OrderContentLine]:
    """The lines of goods that the buyer still wants, by our names of them; where all was cancelled, all of them: an
    order without lines is none."""
    goods = {line.line_id: line for line in content.lines if line.kind == "goods"}
    wanted = {name: line for name, line in goods.items() if wanted_units(line, content)}
    return wanted or goods


def ware_id(line: OrderContentLine) -> str:
    """What a product and its variant are called: by the platform's own name where there is one, else by our SKU."""
    name = line.item_id or line.sku or line.line_id
    return name if PLAIN.fullmatch(name) else f"fm-{digest_of(name, 32)}"


def line_values(line: OrderContentLine, content: OrderContent) -> dict[str, Any]:
    """A line. Its discount is that of the units that are still wanted."""
    units, name = booked_units(line, content), ware_id(line)
    discount = line.discount * units / line.quantity if line.quantity else line.discount
    return {
        "product_id": name, "product_variant_id": name, "quantity": units, "price": line.unit_price,
        "discount": round(discount, 4).normalize() if discount != line.discount else discount,
    }  # fmt: skip


def order_values(content: OrderContent) -> dict[str, Any]:
    """An order, but for its lines and buyer. The total is what is left of it after refunds: Mailchimp adds it up."""
    kinds = {kind: _sum(content, kind) for kind in ("shipping", "discount")}
    values: dict[str, Any] = {
        "currency_code": content.currency, "order_total": content.total - content.refunded, "tax_total": content.tax,
        "shipping_total": kinds["shipping"], "discount_total": abs(kinds["discount"]),
        "financial_status": "cancelled" if content.state == "cancelled" else PAID.get(content.payment_state, "pending"),
        "processed_at_foreign": written(content.placed_at), "updated_at_foreign": written(content.updated_at),
    }  # fmt: skip
    if content.state == "cancelled":
        values["cancelled_at_foreign"] = written(content.updated_at)
    if content.state == "fulfilled" or content.tracking_number:
        values["fulfillment_status"] = "shipped"
    values |= filled({
        "tracking_number": content.tracking_number, "tracking_carrier": content.carrier,
        "tracking_url": content.tracking_url,
    })  # fmt: skip
    for name, there in (("shipping_address", content.shipping_address), ("billing_address", content.billing_address)):
        if there.street:
            people = filled({"name": there.name, "company": there.company, "phone": there.phone})
            values[name] = {**address_fields(there, IN_SHOP), **people}
    return values


def _sum(content: OrderContent, kind: str) -> Decimal:
    lines = [line for line in content.lines if line.kind == kind]
    return sum((line.unit_price * line.quantity - line.discount for line in lines), ZERO)
