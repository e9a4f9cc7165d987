import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

# What was in carts before was said when the cart was last changed.
SAID_WHEN_CHANGED = """
UPDATE cart_lines line SET changed_at = cart.updated_at FROM carts cart WHERE cart.id = line.cart_id
"""
ORDERS_OF_CARTS = """
UPDATE carts cart SET order_id = placed.id FROM orders placed
WHERE cart.reservation_key = 'checked out' AND placed.sales_channel_id = cart.sales_channel_id
  AND placed.source = 'channel' AND placed.external_id = 'cart:' || cart.token
"""


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0006_parcels_by_number'),
    ]

    operations = [
        migrations.AddField(
            model_name='cart',
            name='order',
            field=models.ForeignKey(blank=True, help_text='What became of it', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='carts', to='orders.order'),
        ),
        migrations.AddField(
            model_name='cartline',
            name='unit_price',
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True),
        ),
        migrations.AddField(
            model_name='cartline',
            name='currency',
            field=models.CharField(blank=True, db_default='', default='', max_length=3),
        ),
        migrations.AddField(
            model_name='cartline',
            name='changed_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AlterField(
            model_name='cartline',
            name='quantity',
            field=models.PositiveIntegerField(),
        ),
        migrations.RunSQL(SAID_WHEN_CHANGED, migrations.RunSQL.noop),
        migrations.RunSQL(ORDERS_OF_CARTS, migrations.RunSQL.noop),
    ]
