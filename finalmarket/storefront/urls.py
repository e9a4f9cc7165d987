"""The addresses of shops: /shop/<channel>/ on the web, /app/<channel>/ to be installed, /kiosk/<channel>/."""

from django.urls import path, re_path

from finalmarket.storefront import pages

AT = r"^(?P<place>shop|app)/(?P<slug>[-\w]+)/"

app_name = "storefront"
urlpatterns = [
    re_path(rf"{AT}$", pages.catalogue, name="catalogue"),
    re_path(rf"{AT}p/(?P<product>[-\w]+)/$", pages.product, name="product"),
    re_path(rf"{AT}cart/$", pages.cart, name="cart"),
    re_path(rf"{AT}checkout/$", pages.checkout, name="checkout"),
    re_path(rf"{AT}order/$", pages.order, name="order"),
    re_path(rf"{AT}account/$", pages.account, name="account"),
    re_path(rf"{AT}offline/$", pages.offline, name="offline"),
    re_path(rf"{AT}manifest\.webmanifest$", pages.manifest, name="manifest"),
    re_path(rf"{AT}worker\.js$", pages.worker, name="worker"),
    path("kiosk/<slug:slug>/", pages.kiosk, name="kiosk"),
]
