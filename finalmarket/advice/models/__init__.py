"""What is advised, what came of it, and what operators are told."""

from finalmarket.advice.models.lost_steps import LostStep
from finalmarket.advice.models.next_actions import (
    ActionPolicy,
    AdviceRefresh,
    BestSeller,
    GoodsAffinity,
    NextAction,
)
from finalmarket.advice.models.notices import Notice, NoticeMail, NoticeMailLine, NoticeReading, NoticeWish
from finalmarket.advice.models.stock_advice import DemandForecast, StockAdvice, SupplyTerm

__all__ = [
    "ActionPolicy",
    "AdviceRefresh",
    "BestSeller",
    "DemandForecast",
    "GoodsAffinity",
    "LostStep",
    "NextAction",
    "Notice",
    "NoticeMail",
    "NoticeMailLine",
    "NoticeReading",
    "NoticeWish",
    "StockAdvice",
    "SupplyTerm",
]
