from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "finalmarket.orders"
    verbose_name = "Orders"
