"""Install the functions of `stock/sql/` anew: nothing is held or promised at a location that is switched off."""

from django.db import migrations

from finalmarket.stock.functions import install


class Migration(migrations.Migration):
    dependencies = [("stock", "0008_met_at_sources")]

    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
