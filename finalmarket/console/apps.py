from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "finalmarket.console"
    verbose_name = "Console"
