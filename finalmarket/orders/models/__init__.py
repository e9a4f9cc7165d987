"""The order book."""

from finalmarket.orders.models.aftersales import Fulfilment, FulfilmentLine, Refund, Return, ReturnLine
from finalmarket.orders.models.call import PhoneCall
from finalmarket.orders.models.cart import Cart, CartLine, Wishlist
from finalmarket.orders.models.history import OrderEvent, OrderPromise
from finalmarket.orders.models.imports import ImportedLine, OrderImport, OrderImportRefusal
from finalmarket.orders.models.order import Order, OrderLine, Payment
from finalmarket.orders.models.pickup import Pickup
from finalmarket.orders.models.postcode import PostcodePoint
from finalmarket.orders.models.request import MailDoor, OrderRequest, OrderRequestLine
from finalmarket.orders.models.tax import TaxRate

__all__ = [
    "Cart",
    "CartLine",
    "Fulfilment",
    "FulfilmentLine",
    "ImportedLine",
    "MailDoor",
    "Order",
    "OrderEvent",
    "OrderImport",
    "OrderImportRefusal",
    "OrderLine",
    "OrderPromise",
    "OrderRequest",
    "OrderRequestLine",
    "Payment",
    "PhoneCall",
    "Pickup",
    "PostcodePoint",
    "Refund",
    "Return",
    "ReturnLine",
    "TaxRate",
    "Wishlist",
]
