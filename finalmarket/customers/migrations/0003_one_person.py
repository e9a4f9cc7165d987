import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0002_merge_suggestions'),
    ]

    operations = [
        migrations.CreateModel(
            name='BlockedIdentity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('email', 'E-mail'), ('phone', 'Phone'), ('account', 'Account'), ('device', 'Device'), ('loyalty', 'Loyalty number'), ('payment', 'Payment fingerprint')], max_length=10)),
                ('value', models.CharField(help_text='Normalised; reception@ stands for all addresses of that name', max_length=320)),
                ('is_blocked', models.BooleanField(default=True)),
                ('reason', models.CharField(blank=True, default='', max_length=300)),
                ('actor', models.CharField(blank=True, default='', max_length=100)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'verbose_name_plural': 'blocked identities',
                'db_table': 'blocked_identities',
                'ordering': ['kind', 'value'],
            },
        ),
        migrations.CreateModel(
            name='CustomerMerge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('join', 'One person'), ('part', 'Two persons')], max_length=4)),
                ('decision', models.UUIDField(db_index=True)),
                ('actor', models.CharField(max_length=100)),
                ('reason', models.CharField(blank=True, default='', max_length=500)),
                ('source', models.CharField(blank=True, default='', help_text='Such as suggestion:17', max_length=100)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('undone_by', models.CharField(blank=True, default='', max_length=100)),
            ],
            options={
                'db_table': 'customer_merges',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='IdentityLimit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('email', 'E-mail'), ('phone', 'Phone'), ('account', 'Account'), ('device', 'Device'), ('loyalty', 'Loyalty number'), ('payment', 'Payment fingerprint')], max_length=10, unique=True)),
                ('most_persons', models.PositiveSmallIntegerField(help_text='Told apart by stronger identities; 0: joins nobody')),
                ('most_profiles', models.PositiveSmallIntegerField(help_text='More carriers and it is a desk, a kiosk or a filler')),
            ],
            options={
                'db_table': 'identity_limits',
                'ordering': ['kind'],
            },
        ),
        migrations.CreateModel(
            name='PersonChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_id', models.BigIntegerField()),
                ('was', models.BigIntegerField(help_text='The person before')),
                ('becomes', models.BigIntegerField(help_text='The person now')),
                ('cause', models.CharField(help_text='evidence, or the decision of a person', max_length=100)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'db_table': 'person_changes',
            },
        ),
        migrations.CreateModel(
            name='PersonFollower',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=50, unique=True)),
                ('last_change', models.BigIntegerField(default=0)),
            ],
            options={
                'db_table': 'person_followers',
            },
        ),
        migrations.CreateModel(
            name='PersonMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
            options={
                'db_table': 'person_marks',
            },
        ),
        migrations.CreateModel(
            name='SharedIdentity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('email', 'E-mail'), ('phone', 'Phone'), ('account', 'Account'), ('device', 'Device'), ('loyalty', 'Loyalty number'), ('payment', 'Payment fingerprint')], max_length=10)),
                ('value', models.CharField(max_length=320)),
                ('since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name_plural': 'shared identities',
                'db_table': 'shared_identities',
            },
        ),
        migrations.RemoveConstraint(
            model_name='customeridentity',
            name='customer_identities_one_owner',
        ),
        migrations.AddField(
            model_name='customeridentity',
            name='is_anchor',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name='customeridentity',
            name='customer',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='identities', to='customers.omnichannelcustomer'),
        ),
        migrations.AddIndex(
            model_name='customeridentity',
            index=models.Index(fields=['kind', 'value', 'customer'], name='customer_identities_carriers'),
        ),
        migrations.AddConstraint(
            model_name='blockedidentity',
            constraint=models.UniqueConstraint(fields=('kind', 'value'), name='blocked_identities_once'),
        ),
        migrations.AddConstraint(
            model_name='blockedidentity',
            constraint=models.CheckConstraint(condition=models.Q(('value', ''), _negated=True), name='blocked_identities_not_empty'),
        ),
        migrations.AddField(
            model_name='customermerge',
            name='first',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.omnichannelcustomer'),
        ),
        migrations.AddField(
            model_name='customermerge',
            name='second',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.omnichannelcustomer'),
        ),
        migrations.AddIndex(
            model_name='personchange',
            index=models.Index(fields=['at'], name='person_changes_at'),
        ),
        migrations.AddIndex(
            model_name='personchange',
            index=models.Index(fields=['customer_id'], name='person_changes_profile'),
        ),
        migrations.AddIndex(
            model_name='personchange',
            index=models.Index(fields=['was'], name='person_changes_was'),
        ),
        migrations.AddIndex(
            model_name='personchange',
            index=models.Index(fields=['becomes'], name='person_changes_becomes'),
        ),
        migrations.AddField(
            model_name='personmark',
            name='customer',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.omnichannelcustomer'),
        ),
        migrations.AddConstraint(
            model_name='sharedidentity',
            constraint=models.UniqueConstraint(fields=('kind', 'value'), name='shared_identities_once'),
        ),
        migrations.AddIndex(
            model_name='customermerge',
            index=models.Index(fields=['first', 'second'], name='customer_merges_pairs'),
        ),
        migrations.AddConstraint(
            model_name='customermerge',
            constraint=models.UniqueConstraint(condition=models.Q(('undone_at', None)), fields=('first', 'second'), name='customer_merges_one_counts'),
        ),
        migrations.AddConstraint(
            model_name='customermerge',
            constraint=models.CheckConstraint(condition=models.Q(('first__lt', models.F('second'))), name='customer_merges_in_order'),
        ),
    ]
