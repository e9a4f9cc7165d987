from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "finalmarket.integrations"
    verbose_name = "Integrations"

    def ready(self) -> None:
        """Tell analytics what the accounts of a channel say of its health, and advice what was sent to whom."""
        from finalmarket.advice.next_action.advising import add_contacts
        from finalmarket.analytics.health import add_source
        from finalmarket.integrations.channel_health import of_accounts
        from finalmarket.integrations.sent_mails import selling_mails

        add_source(of_accounts)
        add_contacts(selling_mails)
