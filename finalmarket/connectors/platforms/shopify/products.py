"""Shopify: what goes out: listings. One of our listings is one of its variants; a new one becomes a product with one
variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finalmarket.connectors.errors import NotSupported, Rejected
from finalmarket.connectors.platforms.shopify.entrance import refuse
from finalmarket.connectors.platforms.shopify.outgoing import Outgoing
from finalmarket.connectors.platforms.shopify.words import (
    DEFAULT_TITLE,
    handle_of,
    html_of,
    listing_ref,
    search_text,
    written,
)
from finalmarket.connectors.records import ListingContent, ListingRef, Raw
from finalmarket.connectors.refusals import try_each
from finalmarket.connectors.vocabulary import filled


class Products(Outgoing):
    """Pushes of content."""

    listing_batch_limit = 20

    def push_listings(self, contents: Sequence[ListingContent]) -> Sequence[ListingRef | Rejected]:
        """See PushesListings. A listing that Shopify has under its SKU is changed, not made a second time."""
        if len(contents) > self.listing_batch_limit:
            raise NotSupported(f"at most {self.listing_batch_limit} listings at once, not {len(contents)}")
        return try_each(contents, self._tell, lambda content: content.ref.key)

    def _tell(self, content: ListingContent) -> ListingRef:
        if content.price is not None and content.currency != self.currency:
            raise Rejected(f"this shop has its prices in {self.currency}, not in {content.currency}", code="CURRENCY")
        ref = content.ref
        if not ref.ids.get("product"):
            found = self._find(ref.sku)
            if found is None:
                return self._make(content)
            ref = listing_ref(found, found["product"]["id"])
            if found["product"]["handle"] == handle_of(content.title, ref.sku):
                self._publish(ref.ids["product"])  # we made it, and may not have come so far
        self._change(content, ref)
        return ListingRef(key=ref.key, sku=content.ref.sku or ref.sku, ids=ref.ids)

    def _find(self, sku: str) -> Raw | None:
        """The only variant with exactly that SKU. Raises Rejected where there are several."""
        if not sku:
            raise Rejected("a listing needs a SKU to be found again", code="NO_SKU")
        nodes = self.ask("VariantsBySku", {"filter": f"sku:{search_text(sku)}"})["productVariants"]["nodes"]
        same = [node for node in nodes if node["sku"] == sku]  # the search is no exact one
        if len(same) > 1:
            raise Rejected(f"Shopify has {len(same)} variants with the SKU {sku}: link one of them", code="SKU_TWICE")
        return same[0] if same else None

    # Making one.

    def _make(self, content: ListingContent) -> ListingRef:
        """Make a product, under a handle that this SKU always gets: asked twice, it is made once."""
        option = {"optionName": "Title", "name": DEFAULT_TITLE}
        variant = {"optionValues": [option], "inventoryPolicy": "DENY", **_variant_fields(content)}
        product = {
            **_product_fields(content), "variants": [variant],
            "productOptions": [{"name": "Title", "values": [{"name": DEFAULT_TITLE}]}],
        }  # fmt: skip
        identifier = {"handle": handle_of(content.title, content.ref.sku)}
        asked = {"identifier": identifier, "input": product}
        payload = refuse(self.change("SetProduct", asked, repeatable=True), content.ref.key)
        made = payload["product"]
        self._publish(made["id"])
        return listing_ref(made["variants"]["nodes"][0], made["id"])

    def _publish(self, product_id: str) -> None:
        """Show a new product on the sales channels that the settings name."""
        named = {part.strip().lower() for part in self.account.settings.get("publications", "").split(",")} - {""}
        if not named:
            return
        publications = self.ask("Publications")["publications"]["nodes"]
        wanted = [
            {"publicationId": one["id"]}
            for one in publications
            if named & {channel["name"].strip().lower() for channel in one["channels"]["nodes"]}
        ]
        if wanted:
            refuse(self.change("Publish", {"id": product_id, "input": wanted}, repeatable=True), "")

    # Changing one.

    def _change(self, content: ListingContent, ref: ListingRef) -> None:
        """Change the variant; what is said of its product only where it is the product's only variant."""
        product = self.ask("ListedProduct", {"id": ref.ids["product"]})["product"]
        if product is None:
            raise Rejected(f"Shopify no longer has the product {ref.ids['product']}", code="NOT_FOUND")
        if len(product["variants"]["nodes"]) == 1:
            asked: dict[str, Any] = {"id": product["id"], **_product_fields(content)}
            refuse(self.change("UpdateProduct", {"product": asked}, repeatable=True), content.ref.key)
        fields = _variant_fields(content)
        fields.pop("sku", None)  # this input has it within the inventory item
        asked = {"product": product["id"], "variants": [{"id": ref.key, **fields}]}
        refuse(self.change("SetPrices", asked, repeatable=True), content.ref.key)


def _product_fields(content: ListingContent) -> dict[str, Any]:
    fields = {
        "title": content.title, "descriptionHtml": html_of(content.description), "vendor": content.brand,
        "productType": str(content.attributes.get("type") or ""),
    }  # fmt: skip
    return {
        **filled(fields),
        "status": "ACTIVE" if content.is_available else "DRAFT",
    }


def _variant_fields(content: ListingContent) -> dict[str, Any]:
    item: Raw = {"tracked": True, **({"sku": content.ref.sku} if content.ref.sku else {})}
    fields: dict[str, Any] = {"inventoryItem": item}
    if content.ref.sku:
        fields["sku"] = content.ref.sku
    if content.barcode:
        fields["barcode"] = content.barcode
    if content.price is not None:
        fields["price"] = written(content.price)
    return fields
