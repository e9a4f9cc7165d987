from django.apps import AppConfig


class AdviceConfig(AppConfig):
    name = "finalmarket.advice"
    verbose_name = "Advice"
