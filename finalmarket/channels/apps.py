from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "finalmarket.channels"
    verbose_name = "Channels"
