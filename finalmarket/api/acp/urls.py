"""The addresses of shopping agents, under /acp/."""

from django.urls import path

from finalmarket.api.acp import checkouts, feeds, public

app_name = "acp"
urlpatterns = [
    path("checkout_sessions", checkouts.checkouts, name="checkouts"),
    path("checkout_sessions/<str:token>", checkouts.checkout, name="checkout"),
    path("checkout_sessions/<str:token>/complete", checkouts.completion, name="completion"),
    path("checkout_sessions/<str:token>/cancel", checkouts.cancellation, name="cancellation"),
    path("carts", checkouts.carts, name="carts"),
    path("carts/<str:token>", checkouts.cart, name="cart"),
    path("carts/<str:token>/cancel", checkouts.cart_cancellation, name="cart_cancellation"),
    path("feeds", feeds.feeds, name="feeds"),
    path("feeds/<str:name>", feeds.feed, name="feed"),
    path("feeds/<str:name>/products", feeds.feed_products, name="feed_products"),
    path("orders/<uuid:token>", public.order_page, name="order_page"),
    path("test-payment", public.test_payment, name="test_payment"),
    path("test-payment/<str:name>", public.test_payment, name="test_payment_shape"),
]
