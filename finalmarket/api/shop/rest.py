"""The shopper's API as it is served under /api/shop/v1: its resources, and a description of its own."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, re_path
from ninja import NinjaAPI, Swagger
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as Misshapen

from finalmarket.api.problems import handle
from finalmarket.api.rest import StrictJson, nowhere
from finalmarket.api.shop import carts, catalogue, orders, people
from finalmarket.api.shop.document import ABOUT, enrich
from finalmarket.api.shop.door import for_pages


class ShopRest(NinjaAPI):
    """Ninja's API with our description."""

    def get_openapi_schema(self, **named: Any) -> Any:
        """Return the description of the API."""
        return enrich(super().get_openapi_schema(**named))


api = ShopRest(
    title="The Final Market: shops", version="1", description=ABOUT, urls_namespace="shop_rest", parser=StrictJson(),
    docs=Swagger(settings={"persistAuthorization": False, "defaultModelsExpandDepth": 0}),
)  # fmt: skip
for module in (catalogue, carts, orders, people):
    api.add_router("", module.router)
for error in (Exception, HttpError, AuthenticationError, Misshapen):
    api.add_exception_handler(error, handle)


def addresses() -> list[URLPattern]:
    """Return the addresses of the API, each behind the door."""
    found = [one for one in api.urls[0] if isinstance(one, URLPattern)]
    for one in found:
        one.callback = for_pages(one.callback)
    return [*found, re_path(r"^.*$", for_pages(nowhere))]


urlpatterns = addresses()
app_name = "shop_rest"
