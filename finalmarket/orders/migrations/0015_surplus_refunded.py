"""How much of what was refunded had come in beyond what the order costs is kept: it was paid for no goods."""

from decimal import Decimal

from django.db import migrations, models

COUNT = """
UPDATE orders SET surplus_refunded = given.amount
FROM (SELECT order_id, sum(amount) AS amount FROM refunds WHERE key LIKE 'surplus:%' GROUP BY order_id) given
WHERE orders.id = given.order_id
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0014_taken_off")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="surplus_refunded",
            field=models.DecimalField(
                db_default=Decimal("0"),
                decimal_places=4,
                default=Decimal("0"),
                help_text="Of what was refunded: what had come in beyond what the order costs",
                max_digits=16,
            ),
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
