"""A hold keeps the location that it was asked for, so that it is confirmed anew from there alone."""

import django.db.models.deletion
from django.db import migrations, models

from finalmarket.stock.functions import install

OLD = """DROP FUNCTION IF EXISTS stock_write_reservations(
    bigint[], text[], text[], bigint[], bigint[], int[], int[], timestamptz)"""


class Migration(migrations.Migration):
    dependencies = [("stock", "0009_closed_places")]

    operations = [
        migrations.AddField(
            model_name="reservation",
            name="location",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="From there alone, where that was asked for",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="stock.stocklocation",
            ),
        ),
        migrations.RunSQL(OLD, migrations.RunSQL.noop),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
