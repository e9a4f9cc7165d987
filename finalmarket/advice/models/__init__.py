"""What is advised, what came of it, and what operators are told."""

from finalmarket.advice.models.lost_steps import LostStep
from finalmarket.advice.models.notices import Notice, NoticeMail, NoticeMailLine, NoticeReading, NoticeWish
from finalmarket.advice.models.stock_advice import DemandForecast, StockAdvice, SupplyTerm

__all__ = [
    "DemandForecast",
    "LostStep",
    "Notice",
    "NoticeMail",
    "NoticeMailLine",
    "NoticeReading",
    "NoticeWish",
    "StockAdvice",
    "SupplyTerm",
]
