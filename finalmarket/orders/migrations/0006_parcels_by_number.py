from django.db import migrations, models


class Migration(migrations.Migration):
    """A parcel is found by what carriers call it."""

    dependencies = [
        ('orders', '0005_orders_not_paid'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='fulfilment',
            index=models.Index(condition=models.Q(('tracking_number', ''), _negated=True), fields=['tracking_number'], name='fulfilments_tracking'),
        ),
    ]
