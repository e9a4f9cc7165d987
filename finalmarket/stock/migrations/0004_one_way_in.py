"""One index for a look-up by two columns, so that no plan takes the worse one."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stock", "0003_open_lines")]

    operations = [
        migrations.AlterField(
            model_name="channelinventory",
            name="sales_channel",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="inventories",
                to="channels.saleschannel",
            ),
        ),
        migrations.AlterField(
            model_name="channelinventory",
            name="variant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="channel_inventories",
                to="catalog.variant",
            ),
        ),
        migrations.AlterField(
            model_name="stockitem",
            name="location",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="items",
                to="stock.stocklocation",
            ),
        ),
        migrations.AlterField(
            model_name="stockitem",
            name="variant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="stock_items",
                to="catalog.variant",
            ),
        ),
    ]
