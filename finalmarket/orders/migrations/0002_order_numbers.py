"""The sequence behind the numbers of orders."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE IF NOT EXISTS order_number_seq AS bigint START WITH 100001",
            "DROP SEQUENCE IF EXISTS order_number_seq",
        ),
    ]
