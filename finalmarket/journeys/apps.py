from django.apps import AppConfig


class JourneysConfig(AppConfig):
    name = "finalmarket.journeys"
    verbose_name = "Journeys"
