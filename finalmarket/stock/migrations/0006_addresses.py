from django.db import migrations, models


class Migration(migrations.Migration):
    """A location has the address that parcels are sent from."""

    dependencies = [
        ('stock', '0005_faster_holds'),
    ]

    operations = [
        migrations.AddField(
            model_name='stocklocation',
            name='street',
            field=models.CharField(blank=True, db_default='', default='', help_text="Labels name it as the sender's", max_length=200),
        ),
        migrations.AddField(
            model_name='stocklocation',
            name='street2',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='stocklocation',
            name='region',
            field=models.CharField(blank=True, db_default='', default='', help_text='State or province', max_length=100),
        ),
        migrations.AddField(
            model_name='stocklocation',
            name='phone',
            field=models.CharField(blank=True, db_default='', default='', help_text='For carriers', max_length=40),
        ),
    ]
