from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "finalmarket.customers"
    verbose_name = "Customers"
