from django.apps import AppConfig


class WorkerConfig(AppConfig):
    name = "finalmarket.worker"
    verbose_name = "Worker"
