from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "finalmarket.integrations"
    verbose_name = "Integrations"

    def ready(self) -> None:
        """Tell the analytics room what the accounts of a channel say of its health."""
        from finalmarket.analytics.health import add_source
        from finalmarket.integrations.channel_health import of_accounts

        add_source(of_accounts)
