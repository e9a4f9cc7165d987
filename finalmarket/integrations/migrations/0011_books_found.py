from django.db import migrations, models

CHANGED = "kind IN ('taken', 'updated', 'returned')"


class Migration(migrations.Migration):
    """What changed of late, and what moved, is found without reading all; a record is looked for once after it was
    told."""

    dependencies = [
        ('integrations', '0010_mail_and_talk'),
        ('customers', '0002_merge_suggestions'),
        ('journeys', '0001_initial'),
        ('orders', '0005_orders_not_paid'),
        ('stock', '0005_faster_holds'),
    ]

    operations = [
        migrations.AddField(
            model_name='duerecord',
            name='verified_at',
            field=models.DateTimeField(blank=True, help_text='When the platform was asked whether it has it', null=True),
        ),
        migrations.AlterField(
            model_name='duerecord',
            name='version',
            field=models.BigIntegerField(help_text='Grows with every change of our record'),
        ),
        migrations.AddIndex(
            model_name='duerecord',
            index=models.Index(condition=models.Q(('external_id', ''), _negated=True) & models.Q(('verified_at', None)), fields=['integration', 'told_at'], name='due_records_unverified'),
        ),
        migrations.RemoveIndex(model_name='duerecord', name='due_records_due'),
        migrations.AddIndex(
            model_name='duerecord',
            index=models.Index(condition=models.Q(('version__gt', models.F('settled_version'))), fields=['integration', 'what', 'next_try_at'], name='due_records_due'),
        ),
        migrations.RunSQL(
            f"CREATE INDEX order_events_changed ON order_events (at) INCLUDE (order_id) WHERE {CHANGED}",
            "DROP INDEX order_events_changed",
        ),
        migrations.RunSQL(
            "CREATE INDEX customers_changed ON omnichannel_customers (updated_at)",
            "DROP INDEX customers_changed",
        ),
        migrations.RunSQL("CREATE INDEX consents_given ON consents (at)", "DROP INDEX consents_given"),
        migrations.RunSQL(
            "CREATE INDEX interactions_received ON channel_interactions (received_at)",
            "DROP INDEX interactions_received",
        ),
        # Holds and promises, by far the most lines of the ledger, move nothing: they stay out of it.
        migrations.RunSQL(
            """CREATE INDEX stock_movement_moved ON stock_movement (at)
               WHERE on_hand_delta <> 0 OR kind = 'transfer_in'""",
            "DROP INDEX stock_movement_moved",
        ),
    ]
