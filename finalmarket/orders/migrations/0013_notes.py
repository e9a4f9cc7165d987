"""Notes of people and programs stand in an order's history. Only the words that Django knows change."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0012_requests_by_mail")]

    operations = [
        migrations.AlterField(
            model_name="orderevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("taken", "Taken"),
                    ("updated", "Updated"),
                    ("promised", "Promised"),
                    ("routed", "Routed"),
                    ("shipped", "Shipped"),
                    ("delivered", "Delivered"),
                    ("rejected", "Rejected by a location"),
                    ("cancelled", "Cancelled"),
                    ("returned", "Returned"),
                    ("paid", "Payment"),
                    ("refunded", "Refunded"),
                    ("problem", "Problem"),
                    ("note", "Note"),
                ],
                max_length=10,
            ),
        ),
    ]
