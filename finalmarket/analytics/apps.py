from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "finalmarket.analytics"
    verbose_name = "Analytics"

    def ready(self) -> None:
        """Have what persons are worth in their unified profiles."""
        from finalmarket.analytics.segments_profile import worth_of
        from finalmarket.customers.unified import add_part

        add_part(worth_of)
