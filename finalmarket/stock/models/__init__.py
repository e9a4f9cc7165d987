"""One truth about stock: running balances, the ledger they are the sum of, and the holds on them.

Nobody but `stock/ledger.py` and the functions in `stock/sql/` writes balances, movements or reservations.
"""

from finalmarket.stock.models.balances import StockItem, StockPool
from finalmarket.stock.models.documents import (
    ExpectedReceipt,
    StockAlert,
    StockCount,
    StockCountLine,
    Transfer,
    TransferLine,
)
from finalmarket.stock.models.holds import Reservation, ReservationLine
from finalmarket.stock.models.movement import StockMovement
from finalmarket.stock.models.places import ChannelSource, StockLocation
from finalmarket.stock.models.policy import ChannelInventory

__all__ = [
    "ChannelInventory",
    "ChannelSource",
    "ExpectedReceipt",
    "Reservation",
    "ReservationLine",
    "StockAlert",
    "StockCount",
    "StockCountLine",
    "StockItem",
    "StockLocation",
    "StockMovement",
    "StockPool",
    "Transfer",
    "TransferLine",
]
