from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "finalmarket.access"
    verbose_name = "Access"
