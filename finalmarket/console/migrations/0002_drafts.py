"""Drafts that wait for a person are told too."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("console", "0001_live"), ("orders", "0012_requests_by_mail")]

    operations = [
        migrations.RunSQL(
            "SELECT live_watch('order_requests', 'drafts', 'id'), live_watch('pickups', 'orders', 'order_id')",
            "DROP TRIGGER live_insert ON order_requests; DROP TRIGGER live_update ON order_requests;"
            "DROP TRIGGER live_insert ON pickups; DROP TRIGGER live_update ON pickups",
        )
    ]
