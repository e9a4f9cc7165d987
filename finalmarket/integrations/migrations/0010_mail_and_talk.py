import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What mails say in own words, which wished goods were out, how urgent a ticket is, and mails by their keys."""

    dependencies = [
        ('catalog', '0001_initial'),
        ('channels', '0003_who_tells_the_platform'),
        ('integrations', '0009_books_and_desk'),
    ]

    operations = [
        migrations.CreateModel(
            name='MailText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('order_confirmed', 'Order confirmed'), ('shipped', 'Parcel left'), ('back_in_stock', 'Back in stock')], max_length=16)),
                ('language', models.CharField(blank=True, default='', help_text='Such as de; empty: every other one', max_length=12)),
                ('template', models.CharField(blank=True, default='', help_text="The platform's name of a template", max_length=200)),
                ('subject', models.CharField(blank=True, default='', max_length=300)),
                ('text', models.TextField(blank=True, default='', help_text='Names in braces are filled in, such as {number}')),
                ('html', models.TextField(blank=True, default='', help_text='Empty: the text alone is sent')),
            ],
            options={
                'db_table': 'mail_texts',
                'ordering': ['integration', 'purpose', 'language'],
            },
        ),
        migrations.CreateModel(
            name='WishedStock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('out_since', models.DateTimeField(blank=True, null=True)),
                ('back_at', models.DateTimeField(blank=True, null=True)),
                ('looked_at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'wished stock',
                'db_table': 'wished_stock',
            },
        ),
        migrations.AddField(
            model_name='ticket',
            name='priority',
            field=models.CharField(db_default='normal', default='normal', max_length=6),
        ),
        migrations.AddIndex(
            model_name='duenotice',
            index=models.Index(condition=models.Q(('kind__in', ['confirmation', 'dispatch', 'back_in_stock'])), fields=['integration', 'key'], name='due_notices_mails'),
        ),
        migrations.AddField(
            model_name='mailtext',
            name='integration',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mail_texts', to='integrations.channelintegration'),
        ),
        migrations.AddField(
            model_name='wishedstock',
            name='sales_channel',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='channels.saleschannel'),
        ),
        migrations.AddField(
            model_name='wishedstock',
            name='variant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.variant'),
        ),
        migrations.AddConstraint(
            model_name='mailtext',
            constraint=models.UniqueConstraint(fields=('integration', 'purpose', 'language'), name='mail_texts_once'),
        ),
        migrations.AddIndex(
            model_name='wishedstock',
            index=models.Index(condition=models.Q(('out_since', None)), fields=['back_at'], name='wished_stock_back'),
        ),
        migrations.AddIndex(
            model_name='wishedstock',
            index=models.Index(fields=['looked_at'], name='wished_stock_age'),
        ),
        migrations.AddConstraint(
            model_name='wishedstock',
            constraint=models.UniqueConstraint(fields=('variant', 'sales_channel'), name='wished_stock_once'),
        ),
    ]
