"""Install the guards and functions of `stock/sql/`, in the order of their names."""

from pathlib import Path

from django.db import migrations


def install(apps, schema_editor):
    for file in sorted((Path(__file__).parent.parent / "sql").glob("*.sql")):
        # Straight through the driver: the text holds percent signs that are not placeholders.
        with schema_editor.connection.connection.cursor() as cursor:
            cursor.execute(file.read_text())


class Migration(migrations.Migration):
    dependencies = [("stock", "0001_initial")]

    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
