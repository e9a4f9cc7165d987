"""Install the guards and functions of `stock/sql/`."""

from django.db import migrations

from finalmarket.stock.functions import install


class Migration(migrations.Migration):
    dependencies = [("stock", "0001_initial")]

    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
