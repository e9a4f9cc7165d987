from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0023_letters"),
    ]

    operations = [
        migrations.AddField(
            model_name="integrationhealth",
            name="asked_to_wait_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
