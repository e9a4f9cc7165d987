"""The addresses of the house: clients that track under the paths of their own platforms, the admin pages under /admin/,
webhooks under /hooks/, mails under /inbound/, the REST API under /api/v1/, buyers who come back from a payment under
/pay/, voice assistants under /voice/, shopping agents under /acp/, shops under /shop/, /app/ and /kiosk/, the console
everywhere else."""

from django.contrib import admin
from django.urls import include, path, register_converter
from django.urls.converters import StringConverter

from finalmarket.api.acp.public import discovery
from finalmarket.api.alexa.linking import give_token, link_account
from finalmarket.api.alexa.skill import alexa
from finalmarket.api.hooks import hook
from finalmarket.api.inbound import take_mail
from finalmarket.api.pay import came_back, gave_up
from finalmarket.config.health import health

handler500 = "finalmarket.config.away.broken"


class Token(StringConverter):
    """What names a door of ours: chance in letters. Nothing else is looked up."""

    regex = "[A-Za-z0-9_-]{1,64}"


register_converter(Token, "token")

urlpatterns = [
    path("", include("finalmarket.api.track_urls")),  # answered before they come here (api/track_first.py)
    path("health", health, name="health"),
    path("api/v1/", include("finalmarket.api.rest")),
    path("api/shop/v1/", include("finalmarket.api.shop.rest")),
    path("admin/", admin.site.urls),
    path("hooks/<token:token>/", hook, name="hook"),
    path(".well-known/acp.json", discovery, name="acp_discovery"),
    path("acp/", include("finalmarket.api.acp.urls")),
    path("voice/alexa/<token:token>/", alexa, name="alexa"),
    path("voice/alexa/<token:token>/link", link_account, name="link_account"),
    path("voice/alexa/<token:token>/token", give_token, name="give_token"),
    path("inbound/mail/<str:secret>/", take_mail, name="take_mail"),
    path("pay/<str:token>/return", came_back, name="came_back"),
    path("pay/<str:token>/cancel", gave_up, name="gave_up"),
    path("", include("finalmarket.storefront.urls")),
    path("", include("finalmarket.console.urls")),
]
