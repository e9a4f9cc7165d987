"""A checkout of an agent keeps by which call it is completed, so that the same call is answered the same for good."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0025_withheld_notices")]

    operations = [
        migrations.AddField(
            model_name="agentsession",
            name="completing_call",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False,
                help_text="The digest of the call that completes it", max_length=64,
            ),
        ),
    ]  # fmt: skip
