from django.apps import AppConfig


class JourneysConfig(AppConfig):
    name = "finalmarket.journeys"
    verbose_name = "Journeys"

    def ready(self) -> None:
        """Have what journeys know of persons in their unified profiles."""
        from finalmarket.customers.unified import add_part
        from finalmarket.journeys.known_of import journeys_of

        add_part(journeys_of)
