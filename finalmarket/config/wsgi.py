"""The WSGI entry for any web server; `finalmarket serve` uses it too. It brings the embedded database up if needed."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finalmarket.config.settings")
# A web process keeps its connections in psycopg's pool; the command line opens one and is gone.
os.environ.setdefault("FINALMARKET_POOL", "16")

from django.core.wsgi import get_wsgi_application

from finalmarket.cli.children import follow_parent, stop_while_loading
from finalmarket.kernel.database import database_ready
from finalmarket.operations import draining

OBJECTS_A_COLLECTION = 25_000
"""Python looks for garbage in circles after so many new objects. Its own 700 have it go through all events that wait
to be written, again and again: a quarter of the time that the ingest takes."""

stop_while_loading()
follow_parent()
draining.listen()
application = get_wsgi_application()
database_ready()
gc.collect()
gc.freeze()  # what is there from the beginning stays to the end
gc.set_threshold(OBJECTS_A_COLLECTION, 20, 50)
