"""Install the functions of `stock/sql/` anew: holds are written by fewer and cheaper statements."""

from django.db import migrations

from finalmarket.stock.functions import install

# The one of version 0.1.0; its successor takes other arguments.
DROP = """
DROP FUNCTION IF EXISTS stock_write_holds(
    bigint[], text[], bigint[], int[], int[], timestamptz, int[], int[], int[], bigint[], bigint[], int[], int[],
    bigint[], int[], boolean[], int[], bigint[], bigint[], int[], text)
"""


class Migration(migrations.Migration):
    dependencies = [("stock", "0004_one_way_in")]

    operations = [
        migrations.RunSQL(DROP, migrations.RunSQL.noop),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
