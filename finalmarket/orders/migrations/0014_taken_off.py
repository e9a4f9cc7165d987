"""What was taken off an order that was not paid is kept, so that it stays off when the order is said again."""

from decimal import Decimal

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0013_notes")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="taken_off",
            field=models.DecimalField(
                db_default=Decimal("0"),
                decimal_places=4,
                default=Decimal("0"),
                help_text="Off the goods and the total: what was not paid of units that are not kept",
                max_digits=16,
            ),
        ),
    ]
