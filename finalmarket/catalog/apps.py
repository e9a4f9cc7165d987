from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "finalmarket.catalog"
    verbose_name = "Catalog"
