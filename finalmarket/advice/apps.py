from django.apps import AppConfig


class AdviceConfig(AppConfig):
    name = "finalmarket.advice"
    verbose_name = "Advice"

    def ready(self) -> None:
        """Have what to do next for persons in their unified profiles."""
        from finalmarket.advice.next_action.advising import next_steps
        from finalmarket.customers.next_step import set_adviser

        set_adviser(next_steps)
