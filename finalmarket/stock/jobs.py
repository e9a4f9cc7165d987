"""The jobs of the stock room."""

from finalmarket.kernel.jobs import job
from finalmarket.stock import sweep


@job("stock.expire_holds", cron="* * * * *")
def expire_holds() -> None:
    """Every minute: release holds past their end."""
    sweep.let_expired_holds_go()


@job("stock.refresh_alerts", cron="* * * * *")
def refresh_alerts() -> None:
    """Every minute: open, update and close stock alerts."""
    sweep.refresh_alerts()


@job("stock.tell_of_coming_goods", cron="5 * * * *")
def tell_of_coming_goods() -> None:
    """Every hour: channels that sell ahead are told anew as deliveries come nearer."""
    sweep.tell_of_coming_goods()
