from django.db import migrations, models


class Migration(migrations.Migration):
    """A parcel's share of an authorised payment is taken when it leaves."""

    dependencies = [
        ('integrations', '0013_items'),
    ]

    operations = [
        migrations.AlterField(
            model_name='duenotice',
            name='kind',
            field=models.CharField(choices=[('fulfilment', 'Fulfilment'), ('refund', 'Refund'), ('cancellation', 'Cancellation'), ('capture', 'Capture'), ('capture_part', 'Capture of a part'), ('void', 'Void'), ('confirmation', 'Order confirmed, by mail'), ('dispatch', 'Parcel left, by mail'), ('back_in_stock', 'Back in stock, by mail'), ('ticket', 'Ticket')], max_length=13),
        ),
    ]
