"""The addresses of the console."""

from django.urls import path

from finalmarket.console.pages import (
    alerts,
    bulk,
    channels,
    integrations,
    links,
    order,
    order_verbs,
    orders,
    overview,
    sku,
    stock,
    webhooks,
)

app_name = "console"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("orders/", orders.orders, name="orders"),
    path("orders/<int:key>/", order.order, name="order"),
    path("orders/<int:key>/<slug:verb>", order_verbs.act, name="order_verb"),
    path("stock/", stock.matrix, name="stock"),
    path("stock/<int:key>/", sku.sku, name="sku"),
    path("stock/<int:key>/change", sku.change_stock, name="change_stock"),
    path("stock/<int:variant>/<int:channel>/why", stock.explain, name="explain"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/snooze", alerts.snooze, name="snooze"),
    path("channels/", channels.channels, name="channels"),
    path("channels/<int:key>/", channels.channel, name="channel"),
    path("channels/<int:key>/pause", channels.pause, name="pause"),
    path("bulk/", bulk.bulk, name="bulk"),
    path("integrations/", integrations.integrations, name="integrations"),
    path("integrations/add", integrations.add_integration, name="add_integration"),
    path("integrations/authorized/", integrations.authorized, name="authorized"),
    path("integrations/letters/<int:key>/<slug:verb>", integrations.letter, name="letter"),
    path("integrations/listings/<int:key>/<slug:verb>", links.link_verb, name="link"),
    path("integrations/<int:key>/", integrations.integration, name="integration"),
    path("integrations/<int:key>/authorize", integrations.begin, name="authorize"),
    path("integrations/<int:key>/listings/", links.links, name="links"),
    path("integrations/<int:key>/listings/dry-run/", links.dry_run, name="dry_run"),
    path("integrations/<int:key>/listings/<slug:verb>", links.adopt_verb, name="adopt"),
    path("integrations/<int:key>/<slug:verb>", integrations.change_integration, name="change_integration"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/open", webhooks.open_webhook, name="open_webhook"),
    path("webhooks/<int:key>/", webhooks.webhook, name="webhook"),
    path("webhooks/<int:key>/<slug:verb>", webhooks.change_webhook, name="change_webhook"),
]
