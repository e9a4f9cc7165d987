"""The addresses of the house: the admin pages under /admin/, webhooks under /hooks/, the console everywhere else."""

from django.contrib import admin
from django.urls import include, path

from finalmarket.api.hooks import hook
from finalmarket.config.health import health

urlpatterns = [
    path("health", health, name="health"),
    path("admin/", admin.site.urls),
    path("hooks/<str:token>/", hook, name="hook"),
    path("", include("finalmarket.console.urls")),
]
