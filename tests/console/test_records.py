"""Pages of single records: all models have one, and what a verb writes is not written by hand."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from finalmarket.orders.intake import take
from finalmarket.stock.models import ReservationLine
from tests.console.reading import told
from tests.console.roles import logged_in, person
from tests.orders.market import Market, draft, line

ROOMS = ("access", "catalog", "customers", "channels", "stock", "orders", "journeys", "analytics", "integrations")
MODELS = [model for room in ROOMS for model in apps.get_app_config(room).get_models() if model is not ReservationLine]
WRITTEN_BY_VERBS = [
    "access.apikey",
    "access.auditentry",
    "stock.stockpool",
    "stock.stockitem",
    "stock.stockmovement",
    "stock.reservation",
    "stock.stockalert",
    "orders.order",
    "orders.orderline",
    "orders.payment",
    "orders.refund",
    "orders.fulfilment",
    "orders.return",
    "customers.customeridentity",
    "customers.consent",
    "customers.customermerge",
    "customers.personchange",
    "customers.sharedidentity",
    "analytics.channelanalytics",
    "channels.duechange",
]


def test_every_model_has_its_page() -> None:
    missing = [model.__name__ for model in MODELS if model not in admin.site._registry]
    assert missing == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_every_list_answers_and_can_be_searched(operator: Client, model: type) -> None:
    options = model._meta  # type: ignore[attr-defined]
    address = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    assert operator.get(address).status_code == 200
    if admin.site._registry[model].search_fields:
        assert operator.get(f"{address}?q=100%25 'quoted' \\").status_code == 200


@pytest.mark.parametrize("label", WRITTEN_BY_VERBS)
def test_what_a_verb_writes_is_not_written_by_hand(operator: Client, label: str) -> None:
    room, name = label.split(".")
    assert operator.get(reverse(f"admin:{room}_{name}_add")).status_code == 403
    site = admin.site._registry[apps.get_model(label)]
    request = operator.get("/admin/").wsgi_request
    assert not site.has_change_permission(request)
    assert not site.has_delete_permission(request)


def test_the_pages_of_records_in_use_open(market: Market, operator: Client) -> None:
    market.goods("TEA", warehouse=5)
    market.web.add_product(market.product)
    order = take(draft(market.web, "w1", line("TEA", 2), email="anna@example.com")).order
    records: tuple[Any, ...] = (
        order,
        order.customer,
        order.fulfilments.get(),
        order.reservation,
        market.product,
        market.variants["TEA"],
        market.web,
        market.web.listings.get(),
        market.variants["TEA"].movements.latest("id"),
    )
    for record in records:
        options = record._meta
        answer = operator.get(reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[record.pk]))
        assert answer.status_code == 200, options.label


def test_the_lines_of_a_hold_stand_on_its_page(market: Market, operator: Client) -> None:
    market.goods("TEA", warehouse=5)
    order = take(draft(market.web, "w1", line("TEA", 2))).order
    page = operator.get(reverse("admin:stock_reservation_change", args=[order.reservation_id])).content.decode()
    assert "TEA" in page
    assert "Warehouse" in page


def test_a_channel_with_a_configuration_of_another_type_is_refused(market: Market, operator: Client) -> None:
    form = {
        "name": "Web shop",
        "slug": "web-shop",
        "channel_type": "web",
        "status": "active",
        "currency": "EUR",
        "time_zone": "Mars/Olympus",
        "configuration": '{"tills": 3}',
        "sources-TOTAL_FORMS": "0",
        "sources-INITIAL_FORMS": "0",
    }
    answer = operator.post(reverse("admin:channels_saleschannel_change", args=[market.web.pk]), form)
    assert answer.status_code == 200
    errors = answer.context["adminform"].form.errors
    assert "no setting 'tills'" in errors["configuration"][0]
    assert "time_zone" in errors


def test_a_channel_is_archived_not_deleted(market: Market, operator: Client) -> None:
    assert operator.post(reverse("admin:channels_saleschannel_delete", args=[market.web.pk])).status_code == 403


def test_secrets_are_never_shown(operator: Client) -> None:
    from finalmarket.integrations.models import ChannelIntegration, Credential

    account = ChannelIntegration.objects.create(platform_name="Bazaar", integration_type="marketplace")
    secret = Credential.objects.create(integration=account, name="token", encrypted=b"very-hidden")
    for name, record in (("channelintegration", account), ("credential", secret)):
        page = operator.get(reverse(f"admin:integrations_{name}_change", args=[record.pk]))
        assert page.status_code == 200
        assert b"very-hidden" not in page.content


def test_the_first_ten_thousand_are_paged_and_the_others_searched(market: Market, operator: Client) -> None:
    from finalmarket.console import counting

    for sku in ("A", "B", "C"):
        market.goods(sku)
    address = reverse("admin:catalog_variant_changelist")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "COUNTED_AT_MOST", 2)
        page = operator.get(f"{address}?is_active__exact=1").content.decode()
        assert "more than 2" in page
        assert operator.get(address).status_code == 200


@pytest.mark.parametrize("asked", ["startswith", "icontains", "regex", "in", "contains", "gt"])
def test_no_list_answers_what_none_of_its_filters_asks(operator: Client, asked: str) -> None:
    request = operator.get("/admin/").wsgi_request
    answered = [
        f"{model._meta.label}.{field.name}" for model, site in admin.site._registry.items()
        for field in model._meta.fields if site.lookup_allowed(f"{field.name}__{asked}", "a", request)
    ]  # fmt: skip
    assert answered == []


@pytest.mark.usefixtures("market")
def test_a_list_is_narrowed_by_each_of_its_filters(operator: Client) -> None:
    asked_for = set()
    for model, site in admin.site._registry.items():
        page = operator.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        names = {name for one in page.context["cl"].filter_specs for name in one.expected_parameters() if name}
        assert {name for name in names if not site.lookup_allowed(name, "1", page.wsgi_request)} == set()
        asked_for |= {f"{model.__name__}.{name}" for name in names}
    assert asked_for >= {"Order.sales_channel__id__exact", "Order.state__exact", "DueChange.due"}


def test_a_wrong_filter_is_answered_not_raised(operator: Client) -> None:
    answer = operator.get(reverse("admin:orders_order_changelist") + "?state__exact=x&nonsense=1", follow=True)
    assert answer.status_code == 200
    assert told(answer) == []


def test_the_list_of_all_records_leads_to_those_that_the_role_may_see(operator: Client) -> None:
    def listed(client: Client) -> set[str]:
        page = client.get(reverse("admin:index")).content.decode()
        return {name for name in ("catalog/product", "access/apikey") if f'<a href="/admin/{name}/"' in page}

    assert listed(operator) == {"catalog/product", "access/apikey"}
    merchandiser = logged_in(person("merchandiser"))
    assert listed(merchandiser) == {"catalog/product"}
    assert merchandiser.get(reverse("admin:app_list", args=["auth"])).status_code == 404
