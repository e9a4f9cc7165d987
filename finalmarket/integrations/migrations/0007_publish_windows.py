from django.db import migrations


class Migration(migrations.Migration):
    """Listings that begin or end to be shown, found without reading all."""

    dependencies = [
        ('integrations', '0006_touched_orders'),
        ('channels', '0003_who_tells_the_platform'),
    ]

    operations = [
        migrations.RunSQL(
            """CREATE INDEX channel_products_opening ON channel_products (publish_from) WHERE publish_from IS NOT NULL;
               CREATE INDEX channel_products_closing ON channel_products (publish_until)
               WHERE publish_until IS NOT NULL""",
            "DROP INDEX channel_products_opening; DROP INDEX channel_products_closing",
        ),
    ]
