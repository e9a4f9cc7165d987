from django.apps import AppConfig


class StockConfig(AppConfig):
    name = "finalmarket.stock"
    verbose_name = "Stock"
