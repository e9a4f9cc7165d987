"""Who may open which page: every address of the console, and every page of records, by every role.

The tables are read from the console's own addresses, so a page that has no row fails here and says which row to add.
"""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import RequestFactory

from finalmarket.access.roles import BY_KEY, ROLES, STORE_STAFF
from tests.console.roles import doors, logged_in, person
from tests.orders.market import open_market

# The name of a page in console/urls.py, and the roles that it is open to. Store staff come only to pages that are
# declared with is_of_places=True (console/pages/frame.py) and show nothing but their own stores.
PAGES = """
overview            owner merchandiser support store_staff analyst
analytics           owner merchandiser analyst
figures_csv         owner merchandiser analyst
orders              owner merchandiser support store_staff analyst
order               owner merchandiser support store_staff analyst
open_ticket         owner support
rates               owner support
buy_label           owner support
void_label          owner support
ask_for_payment     owner support
order_verb          owner support
stock               owner merchandiser support store_staff analyst
sku                 owner merchandiser support store_staff analyst
change_stock        owner merchandiser store_staff
explain             owner merchandiser support analyst
phone               owner support
begin_call          owner support
call                owner support
call_verb           owner support
mail_requests       owner support
mail_request        owner support
mail_request_verb   owner support
open_mail_door      owner
stores              owner merchandiser support store_staff analyst
store               owner merchandiser support store_staff analyst
pick_list           owner merchandiser support store_staff analyst
store_return        owner merchandiser support store_staff analyst
store_verb          owner support store_staff
alerts              owner merchandiser support store_staff analyst
snooze              owner merchandiser store_staff
stock_advice        owner merchandiser analyst
decide_advice       owner merchandiser
transfers           owner merchandiser support store_staff analyst
draft_transfer      owner merchandiser store_staff
transfer            owner merchandiser support store_staff analyst
change_transfer     owner merchandiser store_staff
counts              owner merchandiser support store_staff analyst
start_count         owner merchandiser store_staff
count               owner merchandiser support store_staff analyst
change_count        owner merchandiser store_staff
notices             owner merchandiser support analyst
read_notices        owner merchandiser support analyst
wish_notices        owner merchandiser support analyst
channels            owner merchandiser support analyst
channel             owner merchandiser support analyst
tracking            owner merchandiser analyst
change_tracking     owner
shopfront           owner
change_shopfront    owner
voice               owner merchandiser
change_voice        owner merchandiser
agents              owner merchandiser
change_agents       owner merchandiser
pause               owner merchandiser
bulk                owner merchandiser
files               owner merchandiser
begin_work          owner merchandiser
work                owner merchandiser
apply_work          owner merchandiser
work_file           owner merchandiser
journeys            owner merchandiser support analyst
journey             owner merchandiser support analyst
paths               owner merchandiser support analyst
funnel              owner merchandiser support analyst
funnel_persons      owner merchandiser support analyst
abandonment         owner merchandiser support analyst
lost_journeys       owner merchandiser analyst
compute_lost        owner merchandiser
mute_lost           owner merchandiser
attribution         owner merchandiser support analyst
reports             owner merchandiser analyst
report_file         owner merchandiser analyst
customers           owner merchandiser support analyst
segments            owner merchandiser support analyst
preview_segment     owner analyst
make_segment        owner analyst
segment             owner merchandiser support analyst
change_segment      owner analyst
remove_segment      owner analyst
customer            owner merchandiser support analyst
advice              owner support
answer_advice       owner support
customer_advice     owner support
order_cart          owner support
one_person          owner support
unmerge             owner support
merge_preview       owner support
merge_customers     owner support
privacy             owner support
export_person       owner support
erase_person        owner
say_consent         owner support
merges              owner support
decide_merge        owner support
integrations        owner merchandiser analyst
add_integration     owner
authorized          owner
letter              owner merchandiser
link                owner merchandiser
integration         owner merchandiser analyst
authorize           owner
links               owner merchandiser
dry_run             owner merchandiser
to_publish          owner merchandiser
publish             owner
adopt               owner
change_integration  owner
api_keys            owner
make_key            owner
rotate_key          owner
end_key             owner
settings            owner merchandiser analyst
users               owner
invite_user         owner
change_user         owner
list_rules          owner merchandiser analyst
tracking_keys       owner merchandiser analyst
merchant            owner merchandiser analyst
change_merchant     owner
webhooks            owner
open_webhook        owner
webhook             owner
rotate_webhook      owner
change_webhook      owner
"""

# A kind of record, the roles that may look at it | and those that may add, change or delete some of it.
RECORDS = """
access.apikey                    owner                                         |
access.auditentry                owner                                         |
access.idempotentcall            owner                                         |
access.shopdevice                owner                                         |
access.shopkey                   owner                                         |
access.staffbinding              owner                                         |
access.work                      owner                                         |
advice.demandforecast            owner merchandiser analyst                    |
advice.supplyterm                owner merchandiser analyst                    | owner merchandiser
analytics.analyticschange        owner                                         |
analytics.channelanalytics       owner merchandiser analyst                    |
analytics.customervalue          owner support                                 |
analytics.exchangerate           owner merchandiser analyst                    | owner merchandiser
analytics.lakechange             owner                                         |
analytics.lakestate              owner                                         |
analytics.merchant               owner merchandiser analyst                    | owner
analytics.segment                owner merchandiser support analyst            |
analytics.segmentchange          owner merchandiser analyst                    |
analytics.segmentmember          owner                                         |
analytics.valuemodel             owner merchandiser analyst                    |
auth.group                       owner                                         | owner
auth.user                        owner                                         | owner
catalog.bundlecomponent          owner merchandiser support analyst            | owner merchandiser
catalog.category                 owner merchandiser support analyst            | owner merchandiser
catalog.product                  owner merchandiser support analyst            | owner merchandiser
catalog.productimage             owner merchandiser support analyst            | owner merchandiser
catalog.variant                  owner merchandiser support analyst            | owner merchandiser
catalog.variantprice             owner merchandiser support analyst            | owner merchandiser
channels.channelproduct          owner merchandiser support analyst            | owner merchandiser
channels.duechange               owner merchandiser support analyst            |
channels.listingprice            owner merchandiser support analyst            | owner merchandiser
channels.saleschannel            owner merchandiser support analyst            | owner merchandiser
customers.blockedidentity        owner support                                 | owner support
customers.channelpreference      owner support                                 | owner support
customers.consent                owner support                                 |
customers.customeridentity       owner support                                 |
customers.customermerge          owner support                                 |
customers.erasedidentity         owner support                                 |
customers.identitylimit          owner support                                 | owner support
customers.mergesuggestion        owner support                                 |
customers.omnichannelcustomer    owner support                                 | owner support
customers.personchange           owner support                                 |
customers.personfollower         owner support                                 |
customers.personmark             owner support                                 |
customers.privacyrequest         owner support                                 |
customers.sharedidentity         owner support                                 |
customers.shoppersession         owner support                                 |
customers.signincode             owner support                                 |
integrations.agentdoor           owner                                         |
integrations.agentsession        owner                                         |
integrations.chatanswer          owner                                         |
integrations.chattalk            owner                                         |
integrations.linkcode            owner                                         |
integrations.voicelink           owner                                         |
integrations.voiceskill          owner                                         |
integrations.channelintegration  owner merchandiser analyst                    | owner
integrations.credential          owner                                         | owner
integrations.deadletter          owner merchandiser                            |
integrations.driftfinding        owner merchandiser                            |
integrations.dueevent            owner                                         |
integrations.duenotice           owner                                         |
integrations.duerecord           owner                                         |
integrations.externalid          owner                                         |
integrations.integrationhealth   owner                                         |
integrations.itemlink            owner                                         | owner
integrations.listinglink         owner merchandiser                            |
integrations.mailtext            owner                                         | owner
integrations.mastercount         owner                                         |
integrations.nameelsewhere       owner                                         |
integrations.outgoingdelivery    owner                                         |
integrations.outgoingevent       owner                                         |
integrations.outsidefigure       owner                                         |
integrations.ownletter           owner                                         |
integrations.paymentpage         owner support                                 |
integrations.placemapping        owner merchandiser                            | owner merchandiser
integrations.pushrecord          owner merchandiser                            |
integrations.ratebudget          owner                                         |
integrations.shippinglabel       owner support                                 |
integrations.streamcursor        owner                                         |
integrations.syncrun             owner merchandiser analyst                    |
integrations.ticket              owner support                                 |
integrations.unlinkedlisting     owner merchandiser                            |
integrations.webhookdelivery     owner                                         |
integrations.webhookendpoint     owner                                         |
integrations.wishedstock         owner                                         |
journeys.channelinteraction      owner merchandiser support analyst            |
journeys.crosschanneljourney     owner merchandiser support analyst            |
journeys.eventname               owner merchandiser analyst                    |
journeys.journeychange           owner merchandiser analyst                    |
journeys.journeymark             owner merchandiser analyst                    |
journeys.journeytouchpoint       owner merchandiser support analyst            |
journeys.setasideevent           owner merchandiser analyst                    |
journeys.writekey                owner merchandiser analyst                    |
orders.cart                      owner support                                 |
orders.cartline                  owner support                                 |
orders.fulfilment                owner merchandiser support                    |
orders.fulfilmentline            owner merchandiser support                    |
orders.importedline              owner merchandiser support                    |
orders.order                     owner merchandiser support analyst            |
orders.orderevent                owner merchandiser support analyst            |
orders.orderimport               owner merchandiser support analyst            |
orders.orderimportrefusal        owner merchandiser support analyst            |
orders.orderline                 owner merchandiser support analyst            |
orders.orderpromise              owner merchandiser support analyst            |
orders.maildoor                  owner support                                 |
orders.orderrequest              owner support                                 |
orders.orderrequestline          owner support                                 |
orders.payment                   owner merchandiser support                    |
orders.phonecall                 owner support                                 |
orders.pickup                    owner support                                 |
orders.postcodepoint             owner support                                 | owner
orders.refund                    owner merchandiser support analyst            |
orders.return                    owner merchandiser support analyst            |
orders.returnline                owner merchandiser support analyst            |
orders.taxrate                   owner merchandiser support                    | owner merchandiser
orders.wishlist                  owner support                                 |
procrastinate.procrastinatejob   owner                                         |
stock.channelinventory           owner merchandiser support analyst            | owner merchandiser
stock.channelsource              owner merchandiser support analyst            | owner merchandiser
stock.expectedreceipt            owner merchandiser support analyst            |
stock.reservation                owner merchandiser support analyst            |
stock.stockalert                 owner merchandiser support analyst            |
stock.stockcount                 owner merchandiser support analyst            |
stock.stockcountline             owner merchandiser support analyst            |
stock.stockitem                  owner merchandiser support analyst            |
stock.stocklocation              owner merchandiser support analyst            | owner merchandiser
stock.stockmovement              owner merchandiser support analyst            |
stock.stockpool                  owner merchandiser support analyst            |
stock.transfer                   owner merchandiser support analyst            |
stock.transferline               owner merchandiser support analyst            |
"""


# Open to whoever has a link that works once.
OPEN = {"welcome"}


def _table(text: str) -> dict[str, str]:
    rows = (line.partition(" ") for line in text.strip().splitlines())
    return {name: rest.strip() for name, _, rest in rows}


def test_every_page_has_a_row_that_says_who_may_open_it() -> None:
    known, named = _table(PAGES), {door.name for door in doors()} - OPEN
    missing = sorted(named - known.keys())
    assert not missing, (
        f"these pages have no row in PAGES of {__name__}: {missing}. Add one each: the name and the roles "
        f"({' '.join(BY_KEY)}) that may open it; whose rights those are stands in access/roles.py"
    )
    assert sorted(known.keys() - named) == [], "these rows are of pages that are not there any more"
    assert {role for row in known.values() for role in row.split()} <= BY_KEY.keys()


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.key)
def test_a_page_is_open_to_its_roles_and_to_nobody_else(db: None, role: object) -> None:
    key = role.key  # type: ignore[attr-defined]
    store = open_market().north.pk
    client, known = logged_in(person(key, *([store] if key == STORE_STAFF.key else []))), _table(PAGES)
    wrong = {}
    for door in doors():
        if door.name in OPEN:
            continue
        answer = client.get(door.address, headers={"X-Live": "1"})
        if answer.status_code == 405:
            answer = client.post(door.address)
        is_open, should_be = answer.status_code != 403, key in known.get(door.name, "").split()
        if is_open is not should_be:
            wrong[door.name] = f"{answer.status_code}, and it {'is' if should_be else 'is not'} theirs by the table"
    assert wrong == {}


def test_nobody_comes_in_without_a_log_in_or_a_role(db: None) -> None:
    from django.test import Client

    stranger, newcomer = Client(), logged_in(person(""))
    let_in = {door.name for door in doors() if stranger.get(door.address).status_code not in (302, 405)}
    seen = {door.name for door in doors() if newcomer.get(door.address).status_code not in (403, 405)}
    assert (let_in, seen) == (OPEN, OPEN)


def test_every_kind_of_record_has_a_row() -> None:
    named = {model._meta.label_lower for model in admin.site._registry}
    missing = sorted(named - _table(RECORDS).keys())
    assert not missing, (
        f"these kinds of records have no row in RECORDS of {__name__}: {missing}. Add one each: the label, the roles "
        f"that may look at it | those that may change it"
    )
    assert sorted(_table(RECORDS).keys() - named) == [], "these rows are of records that are not there any more"


def test_records_are_looked_at_and_changed_by_their_roles_and_by_nobody_else(db: None) -> None:
    store = open_market().north.pk
    people = {role.key: person(role.key, *([store] if role.is_of_places else [])) for role in ROLES}
    found = {}
    for model, page in admin.site._registry.items():
        looks, changes = [], []
        for key, user in people.items():
            request = RequestFactory().get("/")
            request.user = user
            if page.has_view_permission(request):
                looks.append(key)
            can = (page.has_change_permission(request), page.has_delete_permission(request))
            if any(can) or page.has_add_permission(request):
                changes.append(key)
        found[model._meta.label_lower] = (" ".join(looks), " ".join(changes))
    rows = {name: tuple(part.strip() for part in row.split("|")) for name, row in _table(RECORDS).items()}
    assert {name: said for name, said in found.items() if rows.get(name) != said} == {}
