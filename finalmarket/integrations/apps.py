from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "finalmarket.integrations"
    verbose_name = "Integrations"
