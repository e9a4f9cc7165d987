"""The shop of django-oscar for a WSGI server: its own URLs, nothing else."""

import os

from django.apps import apps
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oscar_shop.settings")
application = get_wsgi_application()

urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include(getattr(apps.get_app_config("oscar"), "urls")[0])),  # noqa: B009  not every app has some
]
