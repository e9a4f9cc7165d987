from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "finalmarket.console"
    verbose_name = "Console"

    def ready(self) -> None:
        """Put our site in the place of Django's, before the pages of records are registered with it."""
        from django.contrib import admin
        from django.contrib.admin import sites

        from finalmarket.console.site import ConsoleSite

        admin.site = sites.site = ConsoleSite()
