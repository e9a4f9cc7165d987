from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "finalmarket.analytics"
    verbose_name = "Analytics"
