"""The WSGI entry for any web server; `finalmarket serve` uses it too. It brings the embedded database up if needed."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finalmarket.config.settings")
# A web process keeps its connections in psycopg's pool; the command line opens one and is gone.
os.environ.setdefault("FINALMARKET_POOL", "16")

from django.core.wsgi import get_wsgi_application

from finalmarket.cli.children import follow_parent, stop_while_loading
from finalmarket.kernel import garbage
from finalmarket.kernel.database import database_ready
from finalmarket.operations import draining

stop_while_loading()
follow_parent()
draining.listen()
application = get_wsgi_application()
database_ready()
garbage.keep_what_is_there()
