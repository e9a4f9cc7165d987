"""The addresses of the house: the admin pages under /admin/, the console everywhere else."""

from django.contrib import admin
from django.urls import include, path

from finalmarket.config.health import health

urlpatterns = [
    path("health", health, name="health"),
    path("admin/", admin.site.urls),
    path("", include("finalmarket.console.urls")),
]
