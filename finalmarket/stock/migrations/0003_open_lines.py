"""Find the open promises of a variant, and what fell short, without reading closed lines."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stock", "0002_functions")]

    operations = [
        migrations.AddIndex(
            model_name="reservationline",
            index=models.Index(
                condition=models.Q(("quantity__gt", 0), ("state", "confirmed")),
                fields=["variant"],
                name="reservation_line_confirmed",
            ),
        ),
        migrations.AddIndex(
            model_name="reservationline",
            index=models.Index(
                condition=models.Q(("short__gt", 0)), fields=["variant"], name="reservation_line_short"
            ),
        ),
    ]
