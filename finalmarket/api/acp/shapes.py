"""What agents say. Unknown words are passed over, as the protocol wants it; what is wrong is named by its place."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from finalmarket.integrations.agents.sessions import MOST_ITEMS, MOST_NOTES, Said
from finalmarket.orders.drafts import MOST_UNITS

Word = Annotated[str, Field(max_length=300)]
Email = Annotated[str, Field(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")]


class Shape(BaseModel):
    """A part of what an agent says."""

    model_config = ConfigDict(extra="ignore", strict=True)


class Item(Shape):
    """An article by its SKU. The protocol's schema has no units: an article that is named twice is wanted twice. Its
    texts show `quantity`, which is taken, too."""

    id: Annotated[str, Field(min_length=1, max_length=100)]
    quantity: Annotated[int, Field(ge=1, le=MOST_UNITS)] = 1


class Address(Shape):
    """Where goods or invoices go."""

    name: Word
    line_one: Word
    line_two: Word = ""
    city: Word
    state: Word
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    postal_code: Annotated[str, Field(max_length=30)]


class Details(Shape):
    """Who receives the goods, and where."""

    name: Word | None = None
    phone_number: Annotated[str, Field(max_length=50)] | None = None
    email: Email | None = None
    address: Address | None = None


class Buyer(Shape):
    """Who buys."""

    email: Email
    first_name: Word | None = None
    last_name: Word | None = None
    full_name: Word | None = None
    phone_number: Annotated[str, Field(max_length=50)] | None = None


class Selected(Shape):
    """In which way goods are to come."""

    type: Word
    option_id: Annotated[str, Field(max_length=120)]
    item_ids: Annotated[list[str], Field(max_length=MOST_ITEMS)]


class Attribution(Shape):
    """Who led the buyer here."""

    provider: Word
    token: Annotated[str, Field(max_length=2000)] | None = None
    publisher_id: Word | None = None
    campaign_id: Word | None = None
    creative_id: Word | None = None
    sub_id: Word | None = None
    touchpoint: Annotated[str, Field(pattern="^(first|last)$")] | None = None

    @model_validator(mode="after")
    def _is_somebodys(self) -> Attribution:
        if self.token is None and self.publisher_id is None:
            raise ValueError("say token or publisher_id")
        return self

    def kept(self) -> dict[str, Any]:
        """What is kept of it, by the touch that it was; a token is a secret and is not."""
        return {self.touchpoint or "last": self.model_dump(exclude_none=True, exclude={"token"})}


class Update(Shape):
    """What changes a checkout."""

    line_items: Annotated[list[Item], Field(min_length=1)] | None = None
    buyer: Buyer | None = None
    fulfillment_details: Details | None = None
    selected_fulfillment_options: list[Selected] | None = None
    affiliate_attribution: Attribution | None = None
    order_notes: Annotated[str, Field(max_length=MOST_NOTES)] | None = None
    locale: Annotated[str, Field(max_length=35)] | None = None

    @model_validator(mode="after")
    def _is_one_way(self) -> Update:
        ways = {one.option_id for one in self.selected_fulfillment_options or ()}
        if len(ways) > 1:
            raise ValueError("all items come in one way: choose one option for all of them")
        return self

    def said(self) -> Said:
        """In the words of the room."""
        ways = [one.option_id for one in self.selected_fulfillment_options or ()]
        return Said(
            items=None if self.line_items is None else [(one.id, one.quantity) for one in self.line_items],
            buyer=_told(self.buyer), details=_told(self.fulfillment_details), option=ways[0] if ways else None,
            notes=self.order_notes, locale=self.locale,
            attribution=self.affiliate_attribution.kept() if self.affiliate_attribution else {},
        )  # fmt: skip


class Create(Update):
    """What begins a checkout."""

    line_items: Annotated[list[Item], Field(min_length=1)]
    currency: Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")]
    capabilities: dict[str, Any]


class CartSaid(Shape):
    """What a cart is to hold."""

    line_items: Annotated[list[Item], Field(min_length=1)]
    buyer: Buyer | None = None
    locale: Annotated[str, Field(max_length=35)] | None = None

    def said(self) -> Said:
        """In the words of the room."""
        items = [(one.id, one.quantity) for one in self.line_items]
        return Said(items=items, buyer=_told(self.buyer), locale=self.locale)


class Credential(Shape):
    """What a buyer's assistant was granted."""

    type: Word
    token: Annotated[str, Field(min_length=1, max_length=2000)]


class Instrument(Shape):
    """What is paid with."""

    type: Word
    credential: Credential


class PaymentData(Shape):
    """How it is paid. Purchase orders are not taken."""

    handler_id: Word | None = None
    instrument: Instrument | None = None
    billing_address: Address | None = None

    @model_validator(mode="after")
    def _is_token(self) -> PaymentData:
        if self.handler_id is None or self.instrument is None:
            raise ValueError("say handler_id and instrument: this shop takes no other payments")
        return self


class Complete(Shape):
    """What completes a checkout."""

    payment_data: PaymentData
    buyer: Buyer | None = None
    affiliate_attribution: Attribution | None = None
    order_notes: Annotated[str, Field(max_length=MOST_NOTES)] | None = None


class FeedAsked(Shape):
    """For which country a feed is wanted."""

    target_country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None


def _told(part: BaseModel | None) -> dict[str, Any] | None:
    return None if part is None else part.model_dump(exclude_none=True, exclude_unset=True)


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Where the first mistake is, as a JSONPath, and what it is."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in fault["loc"])
    return f"${path}", str(fault["msg"])
