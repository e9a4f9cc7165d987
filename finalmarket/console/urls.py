"""The addresses of the console."""

from django.urls import path

from finalmarket.console.pages import alerts, bulk, channels, order, order_verbs, orders, overview, sku, stock, webhooks

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
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/open", webhooks.open_webhook, name="open_webhook"),
    path("webhooks/<int:key>/", webhooks.webhook, name="webhook"),
    path("webhooks/<int:key>/<slug:verb>", webhooks.change_webhook, name="change_webhook"),
]
