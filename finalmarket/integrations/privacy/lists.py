"""Every table of the house with what it holds of people, as the rooms list it, in the order in which it is erased."""

from finalmarket.access import personal as access
from finalmarket.advice import personal as advice
from finalmarket.analytics import personal as analytics
from finalmarket.catalog import personal as catalog
from finalmarket.channels import personal as channels
from finalmarket.customers import personal as customers
from finalmarket.integrations import personal as integrations
from finalmarket.journeys import personal as journeys
from finalmarket.kernel.personal import EMPTY_OBJECT, EMPTY_TEXT, Table, impersonal
from finalmarket.orders import personal as orders
from finalmarket.stock import personal as stock

LOG_IN = """id IN (SELECT user_id FROM omnichannel_customers WHERE id = ANY (%(profiles)s))
            AND NOT is_staff AND NOT is_superuser"""
LOGGED = """(content_type_id IN (SELECT id FROM django_content_type WHERE app_label = 'customers'
             AND model = 'omnichannelcustomer') AND object_id = ANY (%(profiles)s::text[]))"""

AROUND = (
    Table("auth_user", LOG_IN,
          {"username": "'erased-' || id", "first_name": EMPTY_TEXT, "last_name": EMPTY_TEXT, "email": EMPTY_TEXT,
           "password": "'!'", "is_active": "false"},
          kept="A log-in that opens nothing; people of the staff are not customers."),
    Table("django_admin_log", LOGGED, {"object_repr": "'erased'", "change_message": EMPTY_TEXT},
          searched=("object_repr", "change_message"), none=("object_id",), kept="Who of the staff changed what, when."),
    Table("procrastinate_jobs", "",
          {"args": EMPTY_OBJECT, "lock": "NULL", "queueing_lock": "NULL",
           "status": "CASE WHEN status = 'todo' THEN 'cancelled' ELSE status END"},
          searched=("args", "lock", "queueing_lock"), none=("queue_name", "task_name"),
          kept="That a job ran; its arguments are ids."),
    impersonal("procrastinate_events", "type"),
    impersonal("procrastinate_periodic_defers", "task_name", "periodic_id"),
    impersonal("procrastinate_workers"),
    impersonal("django_session", "session_key", "session_data"),
    impersonal("django_content_type", "app_label", "model"),
    impersonal("django_migrations", "app", "name"),
    impersonal("auth_permission", "name", "codename"),
    impersonal("auth_group", "name"),
    *(impersonal(name) for name in ("auth_group_permissions", "auth_user_groups", "auth_user_user_permissions")),
)  # fmt: skip
"""Tables of the libraries that stand in our database."""

TABLES: tuple[Table, ...] = (
    *AROUND, *integrations.TABLES, *advice.TABLES, *journeys.TABLES, *orders.TABLES, *analytics.TABLES, *stock.TABLES,
    *access.TABLES, *channels.TABLES, *catalog.TABLES, *customers.TABLES[1:], customers.TABLES[0],
)  # fmt: skip
"""The profiles are last, for whoever is asked for their rows; interactions go before the journeys they are part of."""
