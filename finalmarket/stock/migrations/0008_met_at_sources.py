"""Install the functions of `stock/sql/` anew: promises are met from where their channel sells."""

from django.db import migrations

from finalmarket.stock.functions import install


class Migration(migrations.Migration):
    dependencies = [("stock", "0007_promises_met")]

    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
