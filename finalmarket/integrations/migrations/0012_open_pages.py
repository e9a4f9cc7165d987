from django.db import migrations, models


class Migration(migrations.Migration):
    """An account has one open payment page of an order, and it is known when the platform was last asked about it."""

    dependencies = [
        ('integrations', '0011_books_found'),
    ]

    operations = [
        migrations.AddField(
            model_name='paymentpage',
            name='asked_at',
            field=models.DateTimeField(blank=True, help_text='When the platform was last asked to finish it', null=True),
        ),
        migrations.AddConstraint(
            model_name='paymentpage',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['starting', 'started'])), fields=('integration', 'order'), name='payment_pages_one_open'),
        ),
    ]
