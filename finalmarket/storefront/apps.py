from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    name = "finalmarket.storefront"
    verbose_name = "Storefront"
