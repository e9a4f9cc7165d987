from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("journeys", "0004_recognised_journeys")]

    operations = [
        migrations.RemoveIndex(model_name="journeytouchpoint", name="touchpoints_in_order"),
        migrations.AddIndex(
            model_name="journeytouchpoint",
            index=models.Index(
                fields=["journey", "occurred_at", "id"],
                include=["sales_channel", "action"],
                name="touchpoints_in_order",
            ),
        ),
        migrations.AddIndex(
            model_name="crosschanneljourney",
            index=models.Index(fields=["-started_at", "-id"], name="journeys_newest"),
        ),
    ]
