"""What is done about an account as a whole: it is taken over, comes and goes; our own webhooks; what comes round."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.db.models.functions import Now

from finalmarket.catalog.models import Product, Variant
from finalmarket.channels.models import ChannelProduct
from finalmarket.integrations import adopt, connect, duties, links
from finalmarket.integrations.accounts import account_of
from finalmarket.integrations.models import (
    ChannelIntegration,
    ListingLink,
    UnlinkedListing,
    WebhookEndpoint,
)
from finalmarket.integrations.outgoing import endpoints
from finalmarket.integrations.outgoing import jobs as outgoing
from finalmarket.kernel.jobs import declared
from finalmarket.sandbox.platforms.fake import TOKEN as SECRET
from finalmarket.stock.models import StockLocation
from tests.integrations.receivers import SILENT
from tests.laws.border_house import TOKEN, House, offered_units
from tests.laws.sync_path import Act, Path, both, nothing
from tests.laws.ways_in import a_letter, own_order, resumed, three_orders
from tests.laws.ways_out import all_changes, more_stock, pushed

# An account that sells already, and one that comes and goes.


def listings_there(house: House) -> None:
    """The platform has listings that we do not know: one with a SKU of ours, one that looks like a product, one new."""
    number = house.next()
    product = Product.objects.create(title=f"Blue vase number {number}", slug=f"vase-{number}")
    for name in ("S", "OUR"):
        Variant.objects.create(product=product, sku=f"{name}{number}")
    with house.shop.lock:
        house.shop.add_listing(f"S{number}", "Anything", Decimal("9.50"), 0)
        house.shop.add_listing(f"X{number}", f"Vase, blue, number {number}", Decimal("9.50"), 3)
        house.shop.add_listing(f"Y{number}", "Unheard of", Decimal("9.50"), 0)


def looked_through(house: House) -> None:
    """A person lets the account be looked through."""
    adopt.look_through(house.account.refreshed())


def unlinked(house: House, prefix: str) -> UnlinkedListing:
    """The newest listing of that kind that nobody has decided upon; the newest of all where there is none."""
    found = UnlinkedListing.objects.filter(external_sku__startswith=prefix).order_by("-state", "-pk")
    listing: UnlinkedListing = next(iter(found.filter(state="open")), None) or found[0]
    return listing


def linked_by_hand(house: House) -> None:
    """A person says which variant a listing is."""
    listing = unlinked(house, "Y")
    ours = Variant.objects.get(sku=f"OUR{listing.external_sku[1:]}")
    adopt.link(listing.pk, ours, actor="ann")


def made_a_product(house: House) -> None:
    """A person makes a product of a listing."""
    adopt.create_product_from(unlinked(house, "Y").pk, actor="ann")


def left_alone(house: House) -> None:
    """A person leaves a listing alone."""
    adopt.ignore(unlinked(house, "X").pk)


def to_be_taken_off(house: House) -> None:
    """A product is on sale there."""
    sku = f"OLD{house.next()}"
    house.account.offer(sku, 4)
    house.put_in[sku] += 4
    pushed(house)


def taken_off(house: House) -> None:
    """A person unlinks the newest product."""
    links.unlink(list(house.account.listings.values())[-1])


def not_begun(house: House) -> None:
    """The account is not told anything yet."""
    ChannelIntegration.objects.filter(pk=house.number).update(push_from=None)
    more_stock(house)


def begun(house: House) -> None:
    """A person lets pushing begin."""
    adopt.start_pushing(house.account.refreshed())


def a_shelf(house: House) -> None:
    """A location was never used: it is to get what the platform shows, and what shoppers there wait for."""
    house.buy(("CUP", 2))
    StockLocation.objects.create(code=f"shelf-{house.next()}", name="Shelf")
    with house.shop.lock:
        for sku in house.shop.shown_stock():
            house.shop.show(sku, 1)
    for sku, units in offered_units(house).items():
        house.put_in[sku] += units


def opened_stock(house: House) -> None:
    """A person takes the opening stock over."""
    shelf = StockLocation.objects.order_by("-pk")[0]
    house.account.refreshed().take_opening_stock(shelf, actor="ann")


def hooks_forgotten(house: House) -> None:
    """The platform has forgotten that it was to call us: it will sign with another secret."""
    house.former_secret = account_of(house.account.refreshed()).secrets["webhook_secret"]
    with house.shop.lock:
        house.shop.state["hooks"].clear()


def connected(house: House) -> None:
    """A person connects the account."""
    integration = house.account.refreshed()
    integration.connect({"token": SECRET, "base_url": integration.base_url})
    if integration.push_from is None:
        integration.start_pushing()


def secret_rotated(house: House) -> None:
    """A person wants another secret for webhooks."""
    house.account.refreshed().rotate_webhook_secret()


def for_customers(house: House) -> None:
    """The account is told of customers."""
    duties.switch(house.account.refreshed(), ["customers"], actor="ann")


def for_nothing_more(house: House) -> None:
    """A person says that it is not any more."""
    duties.switch(house.account.refreshed(), [], actor="ann")


def paused(house: House) -> None:
    """A person stops the account for a while, and lets it go on."""
    house.account.refreshed().pause("holiday")
    resumed(house)


def disconnected(house: House) -> None:
    """A person lets the account go."""
    house.account.refreshed().disconnect()


def connected_anew(house: House) -> None:
    """And comes back: with another door."""
    disconnected(house)
    house.former_secret = ""
    connected(house)
    integration = house.account.refreshed()
    integration.webhook_token = TOKEN
    integration.save()
    with house.shop.lock:
        house.shop.state["hooks"].clear()
    connect.subscribe(integration)


# Our own webhooks, and what comes round.


def somebody_listens(house: House, *answers: int) -> WebhookEndpoint:
    """An endpoint hears of orders, and answers so."""
    (receiver,) = house.receivers
    receiver.answers[:] = answers
    receiver.location = receiver.url
    found = WebhookEndpoint.objects.filter(is_active=True).first()
    return found or endpoints.open_endpoint(receiver.url, ["order.*"])[0]


def news(house: House) -> None:
    """Something happens that an endpoint wants to hear of."""
    somebody_listens(house)
    own_order(house)


def prepared_news(*answers: int) -> Act:
    """It is prepared, and the endpoint will answer so."""

    def happen(house: House) -> None:
        news(house)
        somebody_listens(house, *answers)
        outgoing.prepare()

    return happen


def prepared(house: House) -> None:
    """A worker prepares what is to be told."""
    outgoing.prepare()


def delivered(house: House) -> None:
    """A worker tells it."""
    outgoing.deliver_to(somebody_listens(house, *house.receivers[0].answers).pk)


def everything_waits(house: House) -> None:
    """Letters, changes and news wait; a listing's time to be shown has come."""
    all_changes(house)
    a_letter(house)
    house.deliver()
    pot = house.account.listings["POT"].pk
    ListingLink.objects.filter(listing=pot).update(told_at=None)
    ChannelProduct.objects.filter(pk=pot).update(publish_from=Now())


def the_hour_comes_round(house: House) -> None:
    """What comes round every minute and every hour puts the work off."""
    for job in declared().values():
        if job.name.startswith(("integrations.", "outgoing.")) and job.cron is not None and "tidy" not in job.name:
            job.run()


def put_off(house: House) -> None:
    """A person has everything done later."""
    house.account.refreshed().sync_later()


def synced(house: House) -> None:
    """A person has everything done now."""
    house.account.refreshed().sync()


AROUND_THE_ACCOUNT: Mapping[str, tuple[Path, ...]] = {
    "an account is taken over": (
        Path("an account is looked through", "adopt runs", listings_there, looked_through, looked_through),
        Path("a listing is linked by hand", "adopt links", both(listings_there, looked_through), linked_by_hand,
             linked_by_hand),
        Path("a listing becomes a product", "adopt links", both(listings_there, looked_through), made_a_product,
             made_a_product),
        Path("a listing is left alone", "adopt", both(listings_there, looked_through), left_alone, left_alone),
        Path("a listing is unlinked", "links", to_be_taken_off, taken_off, taken_off),
        Path("pushing begins", "adopt", not_begun, begun, begun),
        Path("opening stock is taken", "adopt http", a_shelf, opened_stock, opened_stock),
    ),
    "an account comes and goes": (
        Path("an account is connected", "connect accounts http", hooks_forgotten, connected, connected),
        Path("the secret of webhooks changes", "connect accounts", hooks_forgotten, secret_rotated, secret_rotated),
        Path("an account is for something else", "duties", for_customers, for_nothing_more, for_nothing_more),
        Path("an account is paused and goes on", "connect", nothing, paused, resumed),
        Path("an account is let go", "connect", nothing, disconnected, connected_anew),
    ),
    "everything at once": (
        Path("everything is done now", "runs", both(three_orders, all_changes), synced),
        Path("everything is done later", "jobs", both(three_orders, all_changes), put_off, put_off),
        Path("the hour comes round", "jobs watch notices", everything_waits, the_hour_comes_round),
    ),
    "our own webhooks": (
        Path("news is prepared", "outgoing jobs", news, prepared),
        Path("news is told", "outgoing", prepared_news(), delivered),
        Path("news is told to one who moved", "outgoing", prepared_news(307), delivered),
        Path("news is told to one who fails", "outgoing", prepared_news(500), delivered),
        Path("news is told to one who does not answer", "outgoing", both(news, prepared_news(SILENT)), delivered),
        Path("news is told to one who is gone", "outgoing", prepared_news(410), delivered),
    ),
}  # fmt: skip
