"""What is said and answered, written by `make client` from the description of the API: change that, not this."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, Required, TypedDict
from uuid import UUID

from finalmarket.client.calling import SHOWN, Answer


class AccountInFull(Answer):
    """An account with what its runs of the last 30 days came to."""

    id: int = SHOWN
    platform: str = SHOWN
    type: str = SHOWN
    label: str = SHOWN
    account_name: str = SHOWN
    channel: int | None = SHOWN
    status: str = SHOWN
    status_reason: str = SHOWN
    health: str = SHOWN
    health_reason: str = SHOWN
    credentials: list[str] = SHOWN
    settings: dict[str, Any] = SHOWN
    base_url: str = SHOWN
    pushes_from: dt.datetime | None = SHOWN
    connected_at: dt.datetime | None = SHOWN
    called_since: dt.datetime | None = SHOWN
    statistics: RunsCounted = SHOWN


class ActionOption(Answer):
    """Something that may be done for a customer now."""

    action: str = SHOWN
    text: str = SHOWN
    reasons: list[str] = SHOWN
    expected_value: Decimal | None = SHOWN
    currency: str = SHOWN
    probability: float = SHOWN
    channel: int | None = SHOWN
    variant: int | None = SHOWN


class AddressShown(Answer):
    """Where goods or invoices go; empty, where it is not known. Coordinates are degrees, WGS 84."""

    name: str = SHOWN
    company: str = SHOWN
    street: str = SHOWN
    street2: str = SHOWN
    postcode: str = SHOWN
    city: str = SHOWN
    region: str = SHOWN
    country: str = SHOWN
    phone: str = SHOWN
    latitude: float | None = SHOWN
    longitude: float | None = SHOWN


class Adjusted(Answer):
    """What is on hand now, and by how many units it was changed."""

    variant: int = SHOWN
    location: int = SHOWN
    on_hand: int = SHOWN
    delta: int = SHOWN


class AdjustedEach(Answer):
    """What became of one adjustment: done, or refused for the `problem`."""

    state: str = SHOWN
    done: Adjusted | None = SHOWN
    problem: ProblemBody | None = SHOWN


class AllAdjusted(Answer):
    """What became of each, in the order in which they were said."""

    items: list[AdjustedEach] = SHOWN


class AllExpected(Answer):
    """A page of what suppliers are to deliver, announced last first."""

    items: list[Expected] = SHOWN
    next: str | None = SHOWN


class AllFigures(Answer):
    """The figures of channels over the same days."""

    items: list[Figures] = SHOWN


class AllHeld(Answer):
    """What became of each wish, in their order."""

    items: list[HeldEach] = SHOWN


class AllListed(Answer):
    """What became of each, as they were said."""

    items: list[ListedEach] = SHOWN


class AllSetAside(Answer):
    """A page of letters, the newest first."""

    items: list[SetAside] = SHOWN
    next: str | None = SHOWN


class AllTaken(Answer):
    """What became of each order, as they were said."""

    items: list[TakenEach] = SHOWN


class AtPlace(Answer):
    """What lies at one location. `free`: neither held nor promised; safety stock is part of it."""

    location: int = SHOWN
    on_hand: int = SHOWN
    reserved: int = SHOWN
    allocated: int = SHOWN
    free: int = SHOWN
    safety: int = SHOWN
    low_stock_threshold: int | None = SHOWN


class AuditLine(Answer):
    """A write by a program: which key did what, to what, and how it was answered."""

    id: int = SHOWN
    at: dt.datetime = SHOWN
    key: int = SHOWN
    key_name: str = SHOWN
    operation: str = SHOWN
    subject: str = SHOWN
    status: int = SHOWN


class AuditLines(Answer):
    """A page of what programs did, the newest first."""

    items: list[AuditLine] = SHOWN
    next: str | None = SHOWN


class BatchRecorded(Answer):
    """What became of each, in the order in which they were told."""

    stored: int = SHOWN
    seen_before: int = SHOWN
    refused: int = SHOWN
    items: list[Recorded] = SHOWN


class Booked(Answer):
    """How many lines and units were booked."""

    lines: int = SHOWN
    units: int = SHOWN


class Cart(Answer):
    """A cart. `order` is what it became."""

    channel: int = SHOWN
    customer: int | None = SHOWN
    lines: list[CartLine] = SHOWN
    total: Decimal = SHOWN
    currency: str = SHOWN
    token: UUID = SHOWN
    state: str = SHOWN
    order: int | None = SHOWN


class CartContent(Answer):
    """What the cart of a person shows on a channel."""

    channel: int = SHOWN
    customer: int | None = SHOWN
    lines: list[CartLine] = SHOWN
    total: Decimal = SHOWN
    currency: str = SHOWN


class CartLine(Answer):
    """One line, as the channel has it now."""

    variant: int = SHOWN
    sku: str = SHOWN
    title: str = SHOWN
    quantity: int = SHOWN
    price: Decimal | None = SHOWN
    left: int = SHOWN
    can_be_sold: bool = SHOWN
    said_on: int = SHOWN
    said_at: dt.datetime = SHOWN
    differences: list[Difference] = SHOWN


class CatalogueProduct(Answer):
    """What a customer would call one thing, with its variants and pictures."""

    id: int = SHOWN
    title: str = SHOWN
    slug: str = SHOWN
    description: str = SHOWN
    brand: str = SHOWN
    category: int | None = SHOWN
    options: list[Any] = SHOWN
    attributes: dict[str, Any] = SHOWN
    status: str = SHOWN
    images: list[Image] = SHOWN
    variants: list[CatalogueVariant] = SHOWN
    created_at: dt.datetime = SHOWN
    updated_at: dt.datetime = SHOWN


class CatalogueProducts(Answer):
    """A page of products."""

    items: list[CatalogueProduct] = SHOWN
    next: str | None = SHOWN


class CatalogueVariant(Answer):
    """One sellable thing with its SKU."""

    id: int = SHOWN
    product: int = SHOWN
    sku: str = SHOWN
    barcode: str = SHOWN
    title: str = SHOWN
    label: str = SHOWN
    option_values: dict[str, Any] = SHOWN
    weight_grams: int | None = SHOWN
    length_mm: int | None = SHOWN
    width_mm: int | None = SHOWN
    height_mm: int | None = SHOWN
    origin_country: str = SHOWN
    hs_code: str = SHOWN
    tax_class: str = SHOWN
    is_active: bool = SHOWN
    prices: list[Price] = SHOWN
    components: list[Component] = SHOWN
    updated_at: dt.datetime = SHOWN


class CatalogueVariants(Answer):
    """A page of variants."""

    items: list[CatalogueVariant] = SHOWN
    next: str | None = SHOWN


class Categories(Answer):
    """A page of categories."""

    items: list[Category] = SHOWN
    next: str | None = SHOWN


class Category(Answer):
    """A node of the category tree."""

    id: int = SHOWN
    name: str = SHOWN
    slug: str = SHOWN
    parent: int | None = SHOWN


class Channel(Answer):
    """One place where the merchant sells."""

    id: int = SHOWN
    name: str = SHOWN
    slug: str = SHOWN
    channel_type: str = SHOWN
    status: str = SHOWN
    is_paused: bool = SHOWN
    pause_reason: str = SHOWN
    configuration: dict[str, Any] = SHOWN
    currency: str = SHOWN
    country: str = SHOWN
    time_zone: str = SHOWN
    sources: list[Source] = SHOWN
    created_at: dt.datetime = SHOWN
    updated_at: dt.datetime = SHOWN


class ChannelWord(Answer):
    """How a channel is doing: healthy, quiet, busy, troubled, short, behind, failing, paused or inactive, and
    why."""

    channel: int = SHOWN
    name: str = SHOWN
    word: str = SHOWN
    reason: str = SHOWN
    findings: list[Found] = SHOWN


class ChannelWords(Answer):
    """How channels are doing."""

    items: list[ChannelWord] = SHOWN


class Channels(Answer):
    """A page of channels."""

    items: list[Channel] = SHOWN
    next: str | None = SHOWN


class Compared(Answer):
    """One figure of both sides."""

    name: str = SHOWN
    here: Decimal | None = SHOWN
    there: Decimal | None = SHOWN
    change: Decimal | None = SHOWN
    currency: str = SHOWN


class ComparedRate(Answer):
    """One rate of both sides, and whether they differ at all."""

    name: str = SHOWN
    here: Decimal | None = SHOWN
    there: Decimal | None = SHOWN
    p_value: float | None = SHOWN
    differs: bool = SHOWN
    words: str = SHOWN


class Component(Answer):
    """So many units of a variant are in one bundle."""

    variant: int = SHOWN
    quantity: int = SHOWN


class ConsentEntries(Answer):
    """A page of the consent ledger of a person, the newest word first."""

    items: list[ConsentEntry] = SHOWN
    next: str | None = SHOWN


class ConsentEntry(Answer):
    """One line of the consent ledger."""

    id: int = SHOWN
    customer: int = SHOWN
    purpose: str = SHOWN
    is_granted: bool = SHOWN
    channel: int | None = SHOWN
    source: str = SHOWN
    at: dt.datetime = SHOWN


class Count(Answer):
    """A stock take at a location."""

    id: int = SHOWN
    location: int = SHOWN
    state: str = SHOWN
    note: str = SHOWN
    started_at: dt.datetime = SHOWN
    applied_at: dt.datetime | None = SHOWN


class CountLine(Answer):
    """What was counted, what the books said at that moment, and the difference that applying it books."""

    variant: int = SHOWN
    sku: str = SHOWN
    counted: int = SHOWN
    counted_at: dt.datetime = SHOWN
    booked: int = SHOWN
    difference: int = SHOWN


class CountLines(Answer):
    """What a stock take found, variant by variant."""

    items: list[CountLine] = SHOWN


class Counts(Answer):
    """A page of stock takes, the newest first."""

    items: list[Count] = SHOWN
    next: str | None = SHOWN


class CustomerAdvice(Answer):
    """What to do next for a customer: the decision that stands, else what is best now, and all that may be done."""

    customer: int = SHOWN
    decision: int | None = SHOWN
    decided_at: dt.datetime | None = SHOWN
    policy: str = SHOWN
    is_trial: bool = SHOWN
    action: str = SHOWN
    text: str = SHOWN
    reasons: list[str] = SHOWN
    expected_value: Decimal | None = SHOWN
    currency: str = SHOWN
    options: list[ActionOption] = SHOWN


class DailyRow(Answer):
    """One channel's figures of one day in one currency."""

    channel: int = SHOWN
    date: dt.date = SHOWN
    currency: str = SHOWN
    orders_count: int = SHOWN
    revenue: Decimal = SHOWN
    refunds: Decimal = SHOWN
    net_revenue: Decimal = SHOWN
    average_order_value: Decimal | None = SHOWN
    unique_customers: int = SHOWN
    new_customers: int = SHOWN
    returning_customers: int = SHOWN
    sessions: int = SHOWN
    ordering_sessions: int = SHOWN
    conversion_rate: Decimal | None = SHOWN
    units_sold: int = SHOWN
    units_returned: int = SHOWN
    return_rate: Decimal | None = SHOWN
    customer_count: int = SHOWN
    merchant_currency: str = SHOWN
    merchant_rate: Decimal | None = SHOWN
    merchant_revenue: Decimal | None = SHOWN
    merchant_refunds: Decimal | None = SHOWN
    merchant_net_revenue: Decimal | None = SHOWN


class DailyRows(Answer):
    """A page of daily figures, the oldest day first."""

    items: list[DailyRow] = SHOWN
    next: str | None = SHOWN


class Decided(Answer):
    """What came of a decision: the person of the customer that was named, and the decision in the log."""

    customer: int = SHOWN
    profiles: list[int] = SHOWN
    decision: UUID = SHOWN


class Difference(Answer):
    """What is not as it was where the customer put it in the cart."""

    kind: str = SHOWN
    text: str = SHOWN
    was: str = SHOWN
    now: str = SHOWN


class Drift(Answer):
    """A listing that showed another number than it should, and was told anew."""

    id: int = SHOWN
    run: int = SHOWN
    listing: int = SHOWN
    sku: str = SHOWN
    location: str = SHOWN
    told: int | None = SHOWN
    shown: int = SHOWN
    should: int = SHOWN
    at: dt.datetime = SHOWN


class DriftReport(Answer):
    """A page of what drifted, the newest first."""

    items: list[Drift] = SHOWN
    next: str | None = SHOWN


class Endpoint(Answer):
    """An address that hears of events. Its secret is told once, when it is opened or rotated."""

    id: int = SHOWN
    url: str = SHOWN
    description: str = SHOWN
    topics: list[str] = SHOWN
    is_active: bool = SHOWN
    disabled_reason: str = SHOWN
    failing_since: dt.datetime | None = SHOWN
    both_secrets_until: dt.datetime | None = SHOWN
    created_at: dt.datetime = SHOWN


class EndpointWithSecret(Answer):
    """An endpoint with the secret by which its deliveries are signed (Standard Webhooks): shown this once."""

    id: int = SHOWN
    url: str = SHOWN
    description: str = SHOWN
    topics: list[str] = SHOWN
    is_active: bool = SHOWN
    disabled_reason: str = SHOWN
    failing_since: dt.datetime | None = SHOWN
    both_secrets_until: dt.datetime | None = SHOWN
    created_at: dt.datetime = SHOWN
    secret: str = SHOWN


class Endpoints(Answer):
    """A page of endpoints."""

    items: list[Endpoint] = SHOWN
    next: str | None = SHOWN


class Expected(Answer):
    """What a supplier is to deliver."""

    id: int = SHOWN
    variant: int = SHOWN
    location: int = SHOWN
    quantity: int = SHOWN
    received_quantity: int = SHOWN
    expected_at: dt.datetime = SHOWN
    supplier: str = SHOWN
    reference: str = SHOWN
    state: str = SHOWN


class Explained(Answer):
    """Why a channel may sell `total` units: the parts add up to it. `reason`: why it cannot be bought, if it
    cannot."""

    variant: int = SHOWN
    sku: str = SHOWN
    channel: int = SHOWN
    total: int = SHOWN
    reason: str = SHOWN
    parts: list[Summand] = SHOWN
    components: list[Explained] = SHOWN


class ExportOut(Answer):
    """All that is kept of a person: what is shown of them, and their rows by table."""

    about: dict[str, Any] = SHOWN
    person: dict[str, Any] = SHOWN
    tables: dict[str, list[dict[str, Any]]] = SHOWN


class Fault(Answer):
    """One thing that is wrong with a request."""

    where: str = SHOWN
    what: str = SHOWN
    what_to_do: str = SHOWN


class Figures(Answer):
    """What a channel did in some days."""

    channel: int = SHOWN
    since: dt.date = SHOWN
    until: dt.date = SHOWN
    currency: str = SHOWN
    orders_count: int = SHOWN
    revenue: Decimal | None = SHOWN
    refunds: Decimal | None = SHOWN
    net_revenue: Decimal | None = SHOWN
    average_order_value: Decimal | None = SHOWN
    new_customers: int = SHOWN
    customer_count: int = SHOWN
    sessions: int = SHOWN
    ordering_sessions: int = SHOWN
    conversion_rate: Decimal | None = SHOWN
    units_sold: int = SHOWN
    units_returned: int = SHOWN
    return_rate: Decimal | None = SHOWN
    merchant_currency: str = SHOWN
    merchant_revenue: Decimal | None = SHOWN
    merchant_refunds: Decimal | None = SHOWN
    merchant_net_revenue: Decimal | None = SHOWN
    merchant_average_order_value: Decimal | None = SHOWN
    missing_rates: list[str] = SHOWN


class ForeseenOut(Answer):
    """What an erasure would take and leave."""

    customer: int = SHOWN
    profiles: list[int] = SHOWN
    deleted: dict[str, int] = SHOWN
    emptied: dict[str, int] = SHOWN
    kept: dict[str, str] = SHOWN
    orders_under_way: int = SHOWN
    is_erased: bool = SHOWN


class Found(Answer):
    """Something that is not as it should be."""

    word: str = SHOWN
    reason: str = SHOWN


class Held(Answer):
    """A reservation as it was granted. How it stands is told by `GET /stock/reservations/{id}`."""

    id: int = SHOWN
    channel: int = SHOWN
    location: int | None = SHOWN
    lines: list[LineHeld] = SHOWN
    hold_seconds: int = SHOWN


class HeldEach(Answer):
    """What became of one wish: held (`again`: it was before), or refused for the `problem`."""

    state: str = SHOWN
    reservation: Held | None = SHOWN
    problem: ProblemBody | None = SHOWN


class Image(Answer):
    """A picture, by address."""

    url: str = SHOWN
    alt_text: str = SHOWN


class Integration(Answer):
    """An account on a platform. What its credentials say is never shown."""

    id: int = SHOWN
    platform: str = SHOWN
    type: str = SHOWN
    label: str = SHOWN
    account_name: str = SHOWN
    channel: int | None = SHOWN
    status: str = SHOWN
    status_reason: str = SHOWN
    health: str = SHOWN
    health_reason: str = SHOWN
    credentials: list[str] = SHOWN
    settings: dict[str, Any] = SHOWN
    base_url: str = SHOWN
    pushes_from: dt.datetime | None = SHOWN
    connected_at: dt.datetime | None = SHOWN
    called_since: dt.datetime | None = SHOWN


class Integrations(Answer):
    """A page of accounts."""

    items: list[Integration] = SHOWN
    next: str | None = SHOWN


class Interaction(Answer):
    """One thing that a customer did."""

    id: int = SHOWN
    customer: int = SHOWN
    channel: int = SHOWN
    type: str = SHOWN
    value_score: int = SHOWN
    context: dict[str, Any] = SHOWN
    message_id: str = SHOWN
    journey: int | None = SHOWN
    occurred_at: dt.datetime = SHOWN
    received_at: dt.datetime = SHOWN


class Interactions(Answer):
    """A page of interactions, the newest first."""

    items: list[Interaction] = SHOWN
    next: str | None = SHOWN


class Journey(Answer):
    """What one customer wants, from the first touch to its outcome."""

    id: int = SHOWN
    customer: int = SHOWN
    channel: int = SHOWN
    intent: str = SHOWN
    state: str = SHOWN
    outcome: str = SHOWN
    order: int | None = SHOWN
    step: str = SHOWN
    is_recognised: bool = SHOWN
    reason: str = SHOWN
    visits: int = SHOWN
    touchpoints: int = SHOWN
    value: Decimal | None = SHOWN
    currency: str = SHOWN
    started_at: dt.datetime = SHOWN
    last_touch_at: dt.datetime | None = SHOWN
    ended_at: dt.datetime | None = SHOWN
    duration_seconds: int | None = SHOWN


class JourneyInShort(Answer):
    """A journey as the profile shows it."""

    id: int = SHOWN
    intent: str = SHOWN
    state: str = SHOWN
    outcome: str = SHOWN
    step: str = SHOWN
    channel: str = SHOWN
    started_at: dt.datetime = SHOWN
    last_touch_at: dt.datetime | None = SHOWN


class JourneyRow(Answer):
    """Journeys of one intent that began on one channel, and what became of them."""

    channel: int = SHOWN
    intent: str = SHOWN
    journeys: int = SHOWN
    ordered: int = SHOWN
    completed: int = SHOWN
    abandoned: int = SHOWN
    open: int = SHOWN
    order_rate: Decimal | None = SHOWN
    mean_seconds: int | None = SHOWN


class JourneyRows(Answer):
    """Journeys of a period."""

    items: list[JourneyRow] = SHOWN


class Journeys(Answer):
    """A page of journeys, the one that began last first."""

    items: list[Journey] = SHOWN
    next: str | None = SHOWN


class KeyOut(Answer):
    """A key as it may see itself."""

    id: int = SHOWN
    name: str = SHOWN
    prefix: str = SHOWN
    scopes: list[str] = SHOWN
    channels: list[int] = SHOWN
    calls_per_minute: int = SHOWN
    state: str = SHOWN
    created_at: dt.datetime = SHOWN
    expires_at: dt.datetime | None = SHOWN
    ends_at: dt.datetime | None = SHOWN


class KeyWithSecret(Answer):
    """A key that took the place of another, with what its holder shows from now on: shown this once."""

    id: int = SHOWN
    name: str = SHOWN
    prefix: str = SHOWN
    scopes: list[str] = SHOWN
    channels: list[int] = SHOWN
    calls_per_minute: int = SHOWN
    state: str = SHOWN
    created_at: dt.datetime = SHOWN
    expires_at: dt.datetime | None = SHOWN
    ends_at: dt.datetime | None = SHOWN
    key: str = SHOWN
    old_key_works_until: dt.datetime = SHOWN


class Known(Answer):
    """What a person is known by."""

    kind: str = SHOWN
    value: str = SHOWN


class Level(Answer):
    """Stock of one variant: over all places, at each, and for each channel. Holds that have ended count as
    reserved until they are swept; `available` never counts them. A bundle has no stock of its own, its
    channels tell."""

    variant: int = SHOWN
    sku: str = SHOWN
    on_hand: int = SHOWN
    reserved: int = SHOWN
    allocated: int = SHOWN
    safety: int = SHOWN
    fenced: int = SHOWN
    backordered: int = SHOWN
    backorder_limit: int = SHOWN
    locations: list[AtPlace] = SHOWN
    channels: list[OnChannel] = SHOWN


class Levels(Answer):
    """A page of levels."""

    items: list[Level] = SHOWN
    next: str | None = SHOWN


class LineHeld(Answer):
    """So many units of a variant, as they were asked for."""

    variant: int = SHOWN
    quantity: int = SHOWN


class LineShown(Answer):
    """One line of an order; amounts in its currency."""

    id: int = SHOWN
    position: int = SHOWN
    kind: str = SHOWN
    variant: int | None = SHOWN
    sku: str = SHOWN
    title: str = SHOWN
    external_id: str = SHOWN
    quantity: int = SHOWN
    unit_price: Decimal = SHOWN
    discount: Decimal = SHOWN
    tax: Decimal = SHOWN
    tax_rate: Decimal | None = SHOWN
    total: Decimal = SHOWN
    cancelled_quantity: int = SHOWN
    fulfilled_quantity: int = SHOWN
    returned_quantity: int = SHOWN
    short_quantity: int = SHOWN


class ListedEach(Answer):
    """What became of one: listed anew, changed (which it may have been so already), or refused for the
    `problem`."""

    outcome: str = SHOWN
    listing: int | None = SHOWN
    problem: ProblemBody | None = SHOWN


class Listing(Answer):
    """One variant as one channel sells it."""

    id: int = SHOWN
    channel: int = SHOWN
    variant: int = SHOWN
    sku: str = SHOWN
    is_available: bool = SHOWN
    price: Decimal | None = SHOWN
    currency: str = SHOWN
    prices: dict[str, Decimal] = SHOWN
    title: str = SHOWN
    description: str = SHOWN
    attributes: dict[str, Any] = SHOWN
    publish_from: dt.datetime | None = SHOWN
    publish_until: dt.datetime | None = SHOWN
    reason: str = SHOWN
    sync_state: str = SHOWN
    sync_error: str = SHOWN
    synced_at: dt.datetime | None = SHOWN
    updated_at: dt.datetime = SHOWN


class Listings(Answer):
    """A page of listings."""

    items: list[Listing] = SHOWN
    next: str | None = SHOWN


class Location(Answer):
    """A place where stock lies."""

    id: int = SHOWN
    code: str = SHOWN
    name: str = SHOWN
    kind: str = SHOWN
    country: str = SHOWN
    postcode: str = SHOWN
    city: str = SHOWN
    street: str = SHOWN
    street2: str = SHOWN
    region: str = SHOWN
    phone: str = SHOWN
    latitude: float | None = SHOWN
    longitude: float | None = SHOWN
    can_ship: bool = SHOWN
    can_hand_over: bool = SHOWN
    priority: int = SHOWN
    orders_per_day: int | None = SHOWN
    is_active: bool = SHOWN


class Locations(Answer):
    """A page of locations."""

    items: list[Location] = SHOWN
    next: str | None = SHOWN


class Looked(Answer):
    """How many persons fulfil a rule now."""

    persons: int = SHOWN
    rule_in_words: str = SHOWN


class Member(Answer):
    """A person in a segment."""

    customer: int = SHOWN
    since: dt.datetime | None = SHOWN
    worth: Worth | None = SHOWN


class Members(Answer):
    """A page of the members of a segment, by number."""

    items: list[Member] = SHOWN
    next: str | None = SHOWN


class MergePreview(Answer):
    """What a merge would make of two persons. Nothing is moved or overwritten by one; it can be taken back
    whole."""

    one: SideOut = SHOWN
    other: SideOut = SHOWN
    survivors: list[SurvivorOut] = SHOWN
    conflicts: list[str] = SHOWN


class Metrics(Answer):
    """The same with the persons of the whole period, each counted once."""

    channel: int = SHOWN
    since: dt.date = SHOWN
    until: dt.date = SHOWN
    currency: str = SHOWN
    orders_count: int = SHOWN
    revenue: Decimal | None = SHOWN
    refunds: Decimal | None = SHOWN
    net_revenue: Decimal | None = SHOWN
    average_order_value: Decimal | None = SHOWN
    new_customers: int = SHOWN
    customer_count: int = SHOWN
    sessions: int = SHOWN
    ordering_sessions: int = SHOWN
    conversion_rate: Decimal | None = SHOWN
    units_sold: int = SHOWN
    units_returned: int = SHOWN
    return_rate: Decimal | None = SHOWN
    merchant_currency: str = SHOWN
    merchant_revenue: Decimal | None = SHOWN
    merchant_refunds: Decimal | None = SHOWN
    merchant_net_revenue: Decimal | None = SHOWN
    merchant_average_order_value: Decimal | None = SHOWN
    missing_rates: list[str] = SHOWN
    unique_customers: int = SHOWN
    returning_customers: int = SHOWN


class Movement(Answer):
    """One line of the ledger; it never changes."""

    id: int = SHOWN
    at: dt.datetime = SHOWN
    kind: str = SHOWN
    variant: int = SHOWN
    location: int | None = SHOWN
    channel: int | None = SHOWN
    on_hand: int = SHOWN
    reserved: int = SHOWN
    allocated: int = SHOWN
    fence: int = SHOWN
    backordered: int = SHOWN
    reservation: int | None = SHOWN
    reference: str = SHOWN
    actor: str = SHOWN
    reason: str = SHOWN


class Movements(Answer):
    """A page of movements, the newest first."""

    items: list[Movement] = SHOWN
    next: str | None = SHOWN


class NextStep(Answer):
    """What to do next, and why. What it is expected to bring is null where nothing is known of it."""

    action: str = SHOWN
    text: str = SHOWN
    reason: str = SHOWN
    reasons: list[str] = SHOWN
    expected_value: Decimal | None = SHOWN
    currency: str = SHOWN


class OnChannel(Answer):
    """What one channel may sell now. `beyond`: the part that is not on the shelf; `reason`: why it cannot be
    bought."""

    channel: int = SHOWN
    available: int = SHOWN
    beyond: int = SHOWN
    status: str = SHOWN
    reason: str = SHOWN


class OrderEventShown(Answer):
    """One entry of an order's history."""

    id: int = SHOWN
    kind: str = SHOWN
    text: str = SHOWN
    actor: str = SHOWN
    at: dt.datetime = SHOWN


class OrderEvents(Answer):
    """A page of an order's history, in the order in which it happened."""

    items: list[OrderEventShown] = SHOWN
    next: str | None = SHOWN


class OrderPage(Answer):
    """A page of orders, those placed last first."""

    items: list[OrderRow] = SHOWN
    next: str | None = SHOWN


class OrderRow(Answer):
    """An order as a list shows it. Its parts sum to `total`: goods - discount + shipping + fees + tip, and tax
    where it is not included in the prices."""

    id: int = SHOWN
    number: str = SHOWN
    channel: int = SHOWN
    source: str = SHOWN
    external_id: str = SHOWN
    customer: int | None = SHOWN
    state: str = SHOWN
    payment_state: str = SHOWN
    problem: str = SHOWN
    currency: str = SHOWN
    goods: Decimal = SHOWN
    discount: Decimal = SHOWN
    shipping: Decimal = SHOWN
    fees: Decimal = SHOWN
    tip: Decimal = SHOWN
    tax: Decimal = SHOWN
    tax_included: bool = SHOWN
    total: Decimal = SHOWN
    refunded: Decimal = SHOWN
    email: str = SHOWN
    phone: str = SHOWN
    shipping_address: AddressShown = SHOWN
    billing_address: AddressShown = SHOWN
    placed_at: dt.datetime = SHOWN
    cancelled_at: dt.datetime | None = SHOWN
    created_at: dt.datetime = SHOWN
    updated_at: dt.datetime = SHOWN
    lines: list[LineShown] = SHOWN


class OrderShown(Answer):
    """An order with all that follows it."""

    id: int = SHOWN
    number: str = SHOWN
    channel: int = SHOWN
    source: str = SHOWN
    external_id: str = SHOWN
    customer: int | None = SHOWN
    state: str = SHOWN
    payment_state: str = SHOWN
    problem: str = SHOWN
    currency: str = SHOWN
    goods: Decimal = SHOWN
    discount: Decimal = SHOWN
    shipping: Decimal = SHOWN
    fees: Decimal = SHOWN
    tip: Decimal = SHOWN
    tax: Decimal = SHOWN
    tax_included: bool = SHOWN
    total: Decimal = SHOWN
    refunded: Decimal = SHOWN
    email: str = SHOWN
    phone: str = SHOWN
    shipping_address: AddressShown = SHOWN
    billing_address: AddressShown = SHOWN
    placed_at: dt.datetime = SHOWN
    cancelled_at: dt.datetime | None = SHOWN
    created_at: dt.datetime = SHOWN
    updated_at: dt.datetime = SHOWN
    lines: list[LineShown] = SHOWN
    payments: list[PaymentShown] = SHOWN
    parcels: list[ParcelShown] = SHOWN
    returns: list[ReturnShown] = SHOWN
    refunds: list[RefundShown] = SHOWN


class Ordered(Answer):
    """The order that a cart became; asked for again, it is the same one (`outcome`: unchanged)."""

    order: int = SHOWN
    number: str = SHOWN
    outcome: str = SHOWN
    state: str = SHOWN
    payment_state: str = SHOWN
    total: Decimal = SHOWN
    currency: str = SHOWN
    problem: str = SHOWN


class ParcelLine(Answer):
    """Units of an order line in a parcel; of a bundle, units of its components."""

    id: int = SHOWN
    line: int = SHOWN
    variant: int = SHOWN
    quantity: int = SHOWN


class ParcelShown(Answer):
    """A parcel, or goods handed over, from one location, and why it is routed there."""

    id: int = SHOWN
    location: int = SHOWN
    state: str = SHOWN
    carrier: str = SHOWN
    tracking_number: str = SHOWN
    tracking_url: str = SHOWN
    reason: str = SHOWN
    created_at: dt.datetime = SHOWN
    shipped_at: dt.datetime | None = SHOWN
    delivered_at: dt.datetime | None = SHOWN
    lines: list[ParcelLine] = SHOWN


class Parcels(Answer):
    """The parcels of an order, the oldest first."""

    items: list[ParcelShown] = SHOWN


class PaymentShown(Answer):
    """One tender."""

    id: int = SHOWN
    tender: str = SHOWN
    state: str = SHOWN
    amount: Decimal = SHOWN
    refunded: Decimal = SHOWN
    currency: str = SHOWN
    external_id: str = SHOWN
    at: dt.datetime = SHOWN


class People(Answer):
    """The persons who are known by a value; more than one where it is shared."""

    items: list[Person] = SHOWN


class Person(Answer):
    """A person as a list shows them."""

    customer: int = SHOWN
    profiles: list[int] = SHOWN
    name: str = SHOWN
    email: str = SHOWN
    phone: str = SHOWN
    country: str = SHOWN
    language: str = SHOWN
    customer_segment: str = SHOWN


class PlatformOut(Answer):
    """A platform that can be connected, and what it needs for that."""

    slug: str = SHOWN
    name: str = SHOWN
    type: str = SHOWN
    api_version: str = SHOWN
    documentation: str = SHOWN
    abilities: list[str] = SHOWN
    secrets: list[str] = SHOWN
    optional_secrets: list[str] = SHOWN
    settings: list[SettingOut] = SHOWN


class PlatformWords(Answer):
    """What the platform said."""

    said: str = SHOWN


class PlatformsOut(Answer):
    """All platforms, by their slugs."""

    items: list[PlatformOut] = SHOWN


class Policy(Answer):
    """How much of a variant a channel may sell."""

    variant: int = SHOWN
    channel: int = SHOWN
    uses_pool: bool = SHOWN
    fence_quantity: int = SHOWN
    fence_left: int = SHOWN
    cap: int | None = SHOWN
    percent: int | None = SHOWN
    buffer: int = SHOWN
    lends: bool = SHOWN
    borrows: bool = SHOWN
    allows_backorder: bool = SHOWN
    incoming_horizon_days: int = SHOWN
    low_stock_threshold: int | None = SHOWN
    used: int = SHOWN


class Preference(Answer):
    """One preference as it counts, and why."""

    value: str | int | bool | None = SHOWN
    why: str = SHOWN
    at: dt.datetime | None = SHOWN


class Preferences(Answer):
    """What the person of a profile prefers, on a channel or over all of them."""

    customer: int = SHOWN
    channel: int | None = SHOWN
    preferences: dict[str, Preference] = SHOWN


class Price(Answer):
    """What a variant costs in one currency unless a listing says otherwise."""

    currency: str = SHOWN
    amount: Decimal = SHOWN
    compare_at: Decimal | None = SHOWN


class ProblemBody(Answer):
    """Problem details (RFC 9457)."""

    type: str = SHOWN
    title: str = SHOWN
    status: int = SHOWN
    detail: str = SHOWN
    what_to_do: str = SHOWN
    errors: list[Fault] = SHOWN
    stands: dict[str, Any] = SHOWN


class Profile(Answer):
    """What all rooms know of a person, over all channels. Money is a decimal number in a text."""

    customer: int = SHOWN
    profiles: list[int] = SHOWN
    name: str = SHOWN
    email: str = SHOWN
    phone: str = SHOWN
    country: str = SHOWN
    language: str = SHOWN
    customer_segment: str = SHOWN
    first_seen_at: dt.datetime = SHOWN
    identities: list[Known] = SHOWN
    preferences: dict[str, Preference] = SHOWN
    channel_preferences: dict[str, dict[str, Preference]] = SHOWN
    consents: dict[str, Word] = SHOWN
    total_orders: int = SHOWN
    total_spent: Decimal = SHOWN
    currency: str | None = SHOWN
    spent_by_currency: dict[str, Decimal] = SHOWN
    first_order_at: dt.datetime | None = SHOWN
    last_order_at: dt.datetime | None = SHOWN
    favorite_channel: str | None = SHOWN
    lifetime_value: Decimal = SHOWN
    open_journeys: list[JourneyInShort] = SHOWN
    last_journey: JourneyInShort | None = SHOWN
    next_best_action: NextStep = SHOWN


class Recommendations(Answer):
    """Goods to show to a customer on a channel, the best first."""

    customer: int = SHOWN
    channel: int | None = SHOWN
    items: list[Recommended] = SHOWN


class Recommended(Answer):
    """Goods that fit a customer and can be sold now."""

    variant: int = SHOWN
    sku: str = SHOWN
    title: str = SHOWN
    available: int = SHOWN
    because: str | None = SHOWN


class Recorded(Answer):
    """What became of one thing that was told."""

    state: str = SHOWN
    interaction: int | None = SHOWN
    occurred_at: dt.datetime | None = SHOWN
    errors: list[Fault] = SHOWN


class RefundShown(Answer):
    """Money given back."""

    id: int = SHOWN
    payment: int | None = SHOWN
    of_return: int | None = SHOWN
    amount: Decimal = SHOWN
    reason: str = SHOWN
    at: dt.datetime = SHOWN


class RequestOut(Answer):
    """An export or an erasure: who asked for it, and what became of it."""

    id: int = SHOWN
    kind: str = SHOWN
    customer: int = SHOWN
    profiles: list[int] = SHOWN
    state: str = SHOWN
    actor: str = SHOWN
    source: str = SHOWN
    waits_for_orders: int = SHOWN
    rows: dict[str, int] = SHOWN
    requested_at: dt.datetime = SHOWN
    done_at: dt.datetime | None = SHOWN


class RequestsOut(Answer):
    """A page of what was asked for, the newest first."""

    items: list[RequestOut] = SHOWN
    next: str | None = SHOWN


class Reservation(Answer):
    """A reservation as it stands: held until `expires_at`, confirmed (a promise), released, expired, or closed."""

    id: int = SHOWN
    channel: int = SHOWN
    state: str = SHOWN
    expires_at: dt.datetime | None = SHOWN
    created_at: dt.datetime = SHOWN
    lines: list[ReservationLine] = SHOWN


class ReservationLine(Answer):
    """What is held or promised at one location. `quantity`: still open; `short`: promised, and found missing."""

    variant: int = SHOWN
    location: int | None = SHOWN
    promised: int = SHOWN
    quantity: int = SHOWN
    short: int = SHOWN
    is_backorder: bool = SHOWN
    state: str = SHOWN


class ReturnLineShown(Answer):
    """What comes back of one order line, and what becomes of it."""

    id: int = SHOWN
    line: int | None = SHOWN
    variant: int | None = SHOWN
    sku: str = SHOWN
    quantity: int = SHOWN
    disposition: str = SHOWN
    location: int | None = SHOWN
    refund: Decimal = SHOWN


class ReturnShown(Answer):
    """Goods that come back."""

    id: int = SHOWN
    state: str = SHOWN
    reason: str = SHOWN
    exchange_order: int | None = SHOWN
    at: dt.datetime = SHOWN
    lines: list[ReturnLineShown] = SHOWN


class RunsCounted(Answer):
    """What the runs of some days came to."""

    days: int = SHOWN
    runs: int = SHOWN
    failed_runs: int = SHOWN
    seen: int = SHOWN
    changed: int = SHOWN
    failed: int = SHOWN
    set_aside: int = SHOWN
    due: int = SHOWN
    last_good_pull_at: dt.datetime | None = SHOWN
    last_good_push_at: dt.datetime | None = SHOWN


class SegmentOut(Answer):
    """A segment with its figures. Money is a decimal number in a text, of `currency`."""

    key: str = SHOWN
    name: str = SHOWN
    is_built_in: bool = SHOWN
    rule: dict[str, Any] = SHOWN
    rule_in_words: str = SHOWN
    persons: int = SHOWN
    value: Decimal = SHOWN
    expected_value: Decimal = SHOWN
    currency: str | None = SHOWN
    counted_at: dt.datetime | None = SHOWN


class SegmentsOut(Answer):
    """All segments, the built-in ones first."""

    items: list[SegmentOut] = SHOWN


class SetAside(Answer):
    """A record that could not be taken or sent, and why."""

    id: int = SHOWN
    stream: str = SHOWN
    external_id: str = SHOWN
    reason: str = SHOWN
    attempts: int = SHOWN
    at: dt.datetime = SHOWN
    settled_at: dt.datetime | None = SHOWN
    settled_by: str = SHOWN


class SettingOut(Answer):
    """A word that a platform asks for and that is no secret."""

    name: str = SHOWN
    label: str = SHOWN
    help: str = SHOWN
    is_required: bool = SHOWN
    default: str = SHOWN
    choices: list[str] = SHOWN


class SideBySide(Answer):
    """Two sides with their figures."""

    here: Metrics = SHOWN
    there: Metrics = SHOWN
    differences: list[Compared] = SHOWN
    rates: list[ComparedRate] = SHOWN
    notes: list[str] = SHOWN


class SideOut(Answer):
    """One of the two persons, with how many rows of each table hang on them."""

    customer: int = SHOWN
    profiles: list[int] = SHOWN
    name: str = SHOWN
    email: str = SHOWN
    phone: str = SHOWN
    country: str = SHOWN
    language: str = SHOWN
    identities: list[dict[str, Any]] = SHOWN
    rows: dict[str, int] = SHOWN


class Source(Answer):
    """A location that the channel sells from; the lowest rank goes first."""

    location: int = SHOWN
    rank: int = SHOWN


class Suggestion(Answer):
    """Two profiles that may be one person."""

    id: int = SHOWN
    first: int = SHOWN
    second: int = SHOWN
    source: str = SHOWN
    evidence: dict[str, Any] = SHOWN
    score: Decimal | None = SHOWN
    state: str = SHOWN
    suggested_at: dt.datetime = SHOWN
    decided_at: dt.datetime | None = SHOWN
    decided_by: str = SHOWN


class Suggestions(Answer):
    """A page of suggestions, the newest first."""

    items: list[Suggestion] = SHOWN
    next: str | None = SHOWN


class Summand(Answer):
    """One summand of an explanation; `details` say which receipts, holds, orders or places are behind it."""

    kind: str = SHOWN
    quantity: int = SHOWN
    text: str = SHOWN
    details: list[str] = SHOWN


class SurvivorOut(Answer):
    """A field of the person that both would be, by which rule, and what would not be shown any more."""

    name: str = SHOWN
    value: Any = SHOWN
    given_by: int | None = SHOWN
    rule: str = SHOWN
    hidden: Any = SHOWN


class SyncRunOut(Answer):
    """One run of one stream. `outcome` is empty while it runs, then done, partly or failed."""

    id: int = SHOWN
    stream: str = SHOWN
    started_at: dt.datetime = SHOWN
    ended_at: dt.datetime | None = SHOWN
    outcome: str = SHOWN
    seen: int = SHOWN
    changed: int = SHOWN
    failed: int = SHOWN
    error: str = SHOWN


class SyncRuns(Answer):
    """A page of runs, the newest first."""

    items: list[SyncRunOut] = SHOWN
    next: str | None = SHOWN


class TakenEach(Answer):
    """What became of one order: created, updated, unchanged or cancelled; refused for the `problem`."""

    outcome: str = SHOWN
    order: int | None = SHOWN
    number: str = SHOWN
    problem: ProblemBody | None = SHOWN


class TellingsSent(Answer):
    """How many go out again."""

    count: int = SHOWN


class TopicsOut(Answer):
    """What an endpoint can hear of."""

    items: list[str] = SHOWN


class Touchpoint(Answer):
    """One step of a journey."""

    id: int = SHOWN
    channel: int = SHOWN
    action: str = SHOWN
    data: dict[str, Any] = SHOWN
    interaction: int | None = SHOWN
    occurred_at: dt.datetime = SHOWN
    switched_from: int | None = SHOWN


class Touchpoints(Answer):
    """A page of steps, in the order in which they happened."""

    items: list[Touchpoint] = SHOWN
    next: str | None = SHOWN


class Transfer(Answer):
    """Goods on their way from `source` to `destination` (locations)."""

    id: int = SHOWN
    source: int = SHOWN
    destination: int = SHOWN
    state: str = SHOWN
    reference: str = SHOWN
    lines: list[TransferLine] = SHOWN
    created_at: dt.datetime = SHOWN
    shipped_at: dt.datetime | None = SHOWN
    closed_at: dt.datetime | None = SHOWN


class TransferLine(Answer):
    """One variant on its way. `discrepancy`: arrived less sent, once the transfer is over."""

    variant: int = SHOWN
    quantity: int = SHOWN
    received_quantity: int = SHOWN
    discrepancy: int = SHOWN


class Transfers(Answer):
    """A page of transfers, the newest first."""

    items: list[Transfer] = SHOWN
    next: str | None = SHOWN


class WebhookDeliveries(Answer):
    """A page of deliveries, the newest first."""

    items: list[WebhookDelivery] = SHOWN
    next: str | None = SHOWN


class WebhookDelivery(Answer):
    """The telling of one event to one endpoint."""

    id: int = SHOWN
    message: str = SHOWN
    topic: str = SHOWN
    subject: int = SHOWN
    state: str = SHOWN
    attempts: int = SHOWN
    last_status: int | None = SHOWN
    last_error: str = SHOWN
    next_try_at: dt.datetime | None = SHOWN
    delivered_at: dt.datetime | None = SHOWN
    happened_at: dt.datetime = SHOWN


class Word(Answer):
    """The last word of a person on a purpose."""

    is_granted: bool = SHOWN
    at: dt.datetime = SHOWN
    channel: str | None = SHOWN
    source: str = SHOWN


class Worth(Answer):
    """What a person is worth. `alive` is null where no model knows of it, and so is what is expected."""

    currency: str = SHOWN
    value: Decimal = SHOWN
    expected_value: Decimal | None = SHOWN
    expected_low: Decimal | None = SHOWN
    expected_high: Decimal | None = SHOWN
    expected_orders: float | None = SHOWN
    alive: float | None = SHOWN
    lifetime_value: Decimal = SHOWN
    recency_score: int = SHOWN
    frequency_score: int = SHOWN
    monetary_score: int = SHOWN
    model: str = SHOWN
    version: int | None = SHOWN
    computed_at: dt.datetime = SHOWN


class AddressIn(TypedDict, total=False):
    """Where goods or invoices go."""

    name: str
    company: str
    street: str
    street2: str
    postcode: str
    city: str
    region: str
    country: str
    phone: str


class AddressSaid(TypedDict, total=False):
    """Where goods or invoices go. Coordinates are degrees (WGS 84), where they are known: routing goes by them."""

    name: str
    company: str
    street: str
    street2: str
    postcode: str
    city: str
    region: str
    country: str
    phone: str
    latitude: float | None
    longitude: float | None


class AdjustmentSaid(TypedDict, total=False):
    """What is on hand at a location, changed by `delta` or set to `quantity`. With `expected`, nothing happens
    unless exactly so many are on hand."""

    variant: int | None
    sku: str
    location: Required[int]
    delta: int | None
    quantity: int | None
    expected: int | None
    reason: Required[str]
    reference: str


class ArrivedSaid(TypedDict, total=False):
    """Goods that arrived at a location."""

    variant: int | None
    sku: str
    location: Required[int]
    quantity: Required[int]
    reason: str
    reference: str


class BackSaid(TypedDict, total=False):
    """Units of an order line that come back, what becomes of them, and where; by default where they came from."""

    line: Required[int]
    quantity: Required[int]
    disposition: Literal["restock", "damaged", "scrap", "none"]
    location: int | None


class ChosenSaid(TypedDict, total=False):
    """Of a variant so many units."""

    variant: Required[int]
    quantity: Required[int]


class ComponentSaid(TypedDict, total=False):
    """So many units of a variant are in one bundle."""

    variant: Required[int]
    quantity: Required[int]


class ContactIn(TypedDict, total=False):
    """By what a customer is known; the strongest of it says on which profile this lands: e-mail, phone, account,
    loyalty number, device. A profile is made where there is none yet."""

    email: str
    phone: str
    account: str
    loyalty: str
    device: str
    name: str
    country: str
    language: str


class CountedLineSaid(TypedDict, total=False):
    """So many units of a variant lie there, promised ones included."""

    variant: int | None
    sku: str
    counted: Required[int]
    counted_at: dt.datetime | str | None


class GoodsToSendSaid(TypedDict, total=False):
    """So many units of a variant."""

    variant: int | None
    sku: str
    quantity: Required[int]


class InteractionIn(TypedDict, total=False):
    """One thing that a customer did on a channel."""

    customer: int | None
    contact: ContactIn | None
    channel: Required[int]
    type: Required[
        Literal[
            "page_view",
            "product_view",
            "search",
            "add_to_cart",
            "remove_from_cart",
            "checkout_start",
            "checkout_complete",
            "cart_abandonment",
            "wishlist_add",
            "review_submit",
            "customer_service",
            "email_open",
            "email_click",
            "social_engagement",
            "store_visit",
            "phone_call",
        ]
    ]
    occurred_at: dt.datetime | str | None
    message_id: str
    context: Mapping[str, Any]


class KeyedWishSaid(TypedDict, total=False):
    """One of many wishes. `key` takes the place of the Idempotency-Key for it; by default that and its place."""

    channel: Required[int]
    lines: Required[Sequence[LineWantedSaid]]
    location: int | None
    hold_seconds: int
    key: str


class LineSaid(TypedDict, total=False):
    """One line. Goods name a SKU or a variant; without `unit_price` they cost what the channel's listing says. A
    discount line takes `discount` off the order."""

    kind: Literal["goods", "shipping", "fee", "discount", "adjustment"]
    variant: int | None
    sku: str
    title: str
    quantity: int
    unit_price: Decimal | int | str | None
    discount: Decimal | int | str
    tax: Decimal | int | str | None
    tax_rate: Decimal | int | str | None
    external_id: str


class LineWantedSaid(TypedDict, total=False):
    """So many units of a variant."""

    variant: int | None
    sku: str
    quantity: Required[int]


class ListingSaid(TypedDict, total=False):
    """A variant that a channel is to sell."""

    is_available: bool | None
    price: Decimal | int | str | None
    prices: Mapping[str, Any]
    title: str | None
    description: str | None
    attributes: Mapping[str, Any] | None
    publish_from: dt.datetime | str | None
    publish_until: dt.datetime | str | None
    variant: int | None
    sku: str
    channel: Required[int]


class MissingUnitsSaid(TypedDict, total=False):
    """So many units of a variant are not there."""

    variant: Required[int]
    quantity: Required[int]


class OptionSaid(TypedDict, total=False):
    """By what variants are told apart, in the order in which it is shown."""

    name: Required[str]
    values: Required[Sequence[str]]


class OrderSaid(TypedDict, total=False):
    """An order, the whole of it. `external_id` is your name of it: said again, it brings the same order up to
    date."""

    channel: Required[int]
    external_id: str
    external_version: str
    number: str
    currency: str
    placed_at: dt.datetime | str | None
    lines: Required[Sequence[LineSaid]]
    payments: Sequence[TenderSaid]
    customer: int | None
    name: str
    email: str
    phone: str
    account: str
    loyalty: str
    language: str
    shipping_address: AddressSaid | None
    billing_address: AddressSaid | None
    tax_included: bool
    tip: Decimal | int | str
    total: Decimal | int | str | None
    reservation: int | None
    location: int | None
    happened: bool | None
    handed_over: bool


class PartOfParcelSaid(TypedDict, total=False):
    """So many units of a line of the parcel."""

    line: Required[int]
    quantity: Required[int]


class PictureSaid(TypedDict, total=False):
    """A picture, by address."""

    url: Required[str]
    alt_text: str


class ReturnArrivedSaid(TypedDict, total=False):
    """What came of a line of a return."""

    line: Required[int]
    quantity: Required[int]
    disposition: Literal["restock", "damaged", "scrap", "none"]
    location: int | None


class SourceSaid(TypedDict, total=False):
    """A location and its rank."""

    location: Required[int]
    rank: int


class TenderSaid(TypedDict, total=False):
    """One payment: card, cash, gift_card, invoice, ...; `external_id` makes it count once."""

    tender: Required[str]
    amount: Required[Decimal | int | str]
    state: Literal["pending", "authorised", "captured"]
    external_id: str


class UnitsOffSaid(TypedDict, total=False):
    """So many units of a line."""

    line: Required[int]
    quantity: Required[int]


class VariantSaid(TypedDict, total=False):
    """A new variant."""

    sku: Required[str]
    barcode: str | None
    title: str | None
    option_values: Mapping[str, str] | None
    cost: Decimal | int | str | None
    cost_currency: str | None
    weight_grams: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    origin_country: str | None
    hs_code: str | None
    tax_class: str | None
    is_active: bool | None
    prices: Mapping[str, Any]
    components: Sequence[ComponentSaid] | None
