"""Since when the figures lack what was noted is known of every change, also of those that stand for no order."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("analytics", "0005_merchant_facts")]

    operations = [
        migrations.AddField(
            model_name="analyticschange",
            name="noted_at",
            field=models.DateTimeField(db_default=Now()),
        ),
    ]
