"""The ASGI entry of the live stream, for any ASGI server; `finalmarket serve` uses it too."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finalmarket.config.settings")
os.environ.setdefault("FINALMARKET_POOL", "4")

import django

from finalmarket.cli.children import follow_parent, stop_while_loading
from finalmarket.console.live.door import Door
from finalmarket.kernel.database import database_ready

stop_while_loading()
follow_parent()
django.setup()
database_ready()
application = Door(web_port=os.environ.get("FINALMARKET_WEB_PORT", ""))
