"""From Shopify's words to ours and back: listings, customers, ids, amounts. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.people import split_name
from finalmarket.connectors.platforms.shopify.orders import moment, place
from finalmarket.connectors.records import Address, CustomerRecord, ListingRecord, ListingRef, Raw
from finalmarket.connectors.vocabulary import filled

DEFAULT_TITLE = "Default Title"  # what Shopify calls the only variant of a product without options
ACCEPTS = {"SUBSCRIBED": True, "UNSUBSCRIBED": False}
KEYS = uuid.UUID("6f0e1d0c-9a53-5d0e-8a5b-2f4f7b8f3c11")  # the name space of our idempotency keys
MOST_HANDLE_LETTERS = 200
KEY_TRIES = 5  # how many keys one change may use up by failing


def gid(kind: str, given: Any) -> str:
    """The GraphQL id of a thing, from that id itself or from the bare number of the older API."""
    text = str(given)
    return text if text.startswith("gid://") else f"gid://shopify/{kind}/{text}"


def number_of(given: str) -> str:
    """The bare number of a GraphQL id."""
    return given.rpartition("/")[2].partition("?")[0]


def stamp(at: datetime) -> str:
    """A moment as Shopify's search takes it, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def key_of(*parts: object) -> str:
    """An idempotency key: the same for the same parts, another one for any others."""
    return str(uuid.uuid5(KEYS, "\x1f".join(str(part) for part in parts)))


def failed_before(payload: Raw) -> bool:
    """Whether Shopify says that the key stands for a try that failed: nothing happened under it, and another key is
    needed. Mutations whose errors have no codes say it in words."""
    return any(
        error.get("code") == "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
        or "with this idempotency key failed" in str(error.get("message"))
        for error in payload.get("userErrors") or ()
    )


def written(amount: Decimal) -> str:
    """An amount as Shopify's Money takes it."""
    return format(amount, "f")


def search_text(value: str) -> str:
    """A value within quotes of Shopify's search syntax."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def handle_of(title: str, sku: str) -> str:
    """What a new product is called in addresses: the same title and SKU always give the same, so that a product that
    is sent twice is made once."""
    plain = unicodedata.normalize("NFKD", f"{title} {sku}").encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return f"{words[:MOST_HANDLE_LETTERS]}-{key_of('handle', sku)[:8]}".strip("-")


def html_of(description: str) -> str:
    """A description as Shopify shows it: text that holds no tags keeps its lines."""
    if re.search(r"<[a-zA-Z/][^>]*>", description):
        return description
    return html.escape(description, quote=False).replace("\n", "<br>")


def listing_ref(variant: Raw, product_id: str) -> ListingRef:
    """What Shopify calls a variant, its product and its inventory item."""
    ids = {"product": product_id, "item": variant["inventoryItem"]["id"]}
    return ListingRef(key=variant["id"], sku=variant.get("sku") or "", ids=ids)


def listing_record(raw: Raw, currency: str) -> ListingRecord:
    """A variant, from the fragment Variant; its options become attributes."""
    product = raw["product"]
    options = {
        option["name"].strip().lower(): option["value"]
        for option in raw["selectedOptions"]
        if option["value"] != DEFAULT_TITLE
    }
    beside = {"brand": product.get("vendor") or "", "type": product.get("productType") or ""}
    return ListingRecord(
        ref=listing_ref(raw, product["id"]),
        title=f"{product['title']} - {raw['title']}" if options else product["title"],
        description=product.get("description") or "",
        barcode=raw.get("barcode") or "",
        price=Decimal(str(raw["price"])),
        currency=currency,
        is_available=product["status"] == "ACTIVE",
        attributes={**{name: value for name, value in beside.items() if value}, **options},
        raw=raw,
    )


def customer_record(raw: Raw) -> CustomerRecord:
    """A customer, from the fragment WholeCustomer."""
    email = raw.get("defaultEmailAddress") or {}
    return CustomerRecord(
        external_id=raw["id"],
        version=moment(raw["updatedAt"]).isoformat(),
        name=" ".join(filter(None, (raw.get("firstName"), raw.get("lastName")))) or raw.get("displayName") or "",
        email=email.get("emailAddress") or "",
        phone=(raw.get("defaultPhoneNumber") or {}).get("phoneNumber") or "",
        language=raw.get("locale") or "",
        address=place(raw.get("defaultAddress")),
        accepts_email=ACCEPTS.get(email.get("marketingState", "")),
        raw=raw,
    )


def mailing_address(address: Address, name: str) -> Mapping[str, str]:
    """An address as Shopify takes it, without the fields that are empty."""
    first, last = split_name(address.name or name)
    return filled({
        "firstName": first, "lastName": last, "company": address.company, "address1": address.street,
        "address2": address.street2, "zip": address.postcode, "city": address.city, "provinceCode": address.region,
        "countryCode": address.country, "phone": address.phone,
    })  # fmt: skip
