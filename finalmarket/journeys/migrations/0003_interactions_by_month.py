import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now


def ID():
    return ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


def CHANNEL(related_name):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE, related_name=related_name, to="channels.saleschannel"
    )


# The table is made anew beside the old one, filled, and takes its name. Rows point at customers, channels and journeys
# without a constraint: a check of each row costs a third of the time that storing it takes, and the doors look at all
# of a batch at once instead (see journeys/ingest.py).
NEW_TABLE = """
DO $$
DECLARE found text;
BEGIN
    FOR found IN SELECT conname FROM pg_constraint
                 WHERE conrelid = 'journey_touchpoints'::regclass AND confrelid = 'channel_interactions'::regclass LOOP
        EXECUTE format('ALTER TABLE journey_touchpoints DROP CONSTRAINT %I', found);
    END LOOP;
END $$;

CREATE SEQUENCE interaction_ids AS bigint;

CREATE TABLE interactions_by_month (
    id bigint NOT NULL DEFAULT nextval('interaction_ids'),
    customer_id bigint NOT NULL,
    sales_channel_id bigint NOT NULL,
    journey_id bigint,
    interaction_type varchar(18) NOT NULL,
    value_score smallint NOT NULL,
    context jsonb NOT NULL,
    message_id varchar(100) NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT statement_timestamp()
) PARTITION BY RANGE (occurred_at);

ALTER SEQUENCE interaction_ids OWNED BY interactions_by_month.id;

CREATE TABLE interaction_keys (
    sales_channel_id bigint NOT NULL,
    message_digest uuid NOT NULL,
    interaction_id bigint,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (sales_channel_id, message_digest)
) PARTITION BY HASH (sales_channel_id, message_digest);

DO $$
BEGIN
    FOR n IN 0..15 LOOP
        EXECUTE format('CREATE TABLE interaction_keys_%s PARTITION OF interaction_keys '
                       'FOR VALUES WITH (MODULUS 16, REMAINDER %s)', lpad(n::text, 2, '0'), n);
    END LOOP;
END $$;
"""

# A month is attached, not created as a partition: that lets readers and writers of the other months go on. There is no
# default partition, whose rows every later month would have to be checked against.
MONTHS = """
CREATE FUNCTION interactions_months(moments timestamptz[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    month timestamp;
    child text;
BEGIN
    FOR month IN SELECT DISTINCT date_trunc('month', moment AT TIME ZONE 'UTC') FROM unnest(moments) moment ORDER BY 1
    LOOP
        child := 'channel_interactions_' || to_char(month, 'YYYYMM');
        CONTINUE WHEN to_regclass('public.' || child) IS NOT NULL;
        IF month < '1990-01-01' OR month >= '2101-01-01' THEN
            RAISE EXCEPTION 'interactions are kept from 1990 to 2100, not of %', month USING ERRCODE = '22008';
        END IF;
        LOCK TABLE public.channel_interactions IN SHARE UPDATE EXCLUSIVE MODE;
        CONTINUE WHEN to_regclass('public.' || child) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.channel_interactions INCLUDING DEFAULTS)', child);
        EXECUTE format('ALTER TABLE public.channel_interactions ATTACH PARTITION public.%I '
                       'FOR VALUES FROM (%L) TO (%L)', child, month AT TIME ZONE 'UTC',
                       (month + interval '1 month') AT TIME ZONE 'UTC');
    END LOOP;
END $$;
"""

FILL = """
ALTER TABLE channel_interactions RENAME TO interactions_before;
ALTER TABLE interactions_by_month RENAME TO channel_interactions;

SELECT interactions_months(array_agg(DISTINCT moment)) FROM (
    SELECT date_trunc('month', occurred_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' FROM interactions_before
    UNION ALL
    SELECT statement_timestamp() + make_interval(months => ahead) FROM generate_series(0, 2) ahead
) AS wanted(moment);

INSERT INTO channel_interactions (id, customer_id, sales_channel_id, journey_id, interaction_type, value_score, context,
                                  message_id, occurred_at, received_at)
SELECT id, customer_id, sales_channel_id, journey_id, interaction_type, value_score, context, message_id, occurred_at,
       received_at
FROM interactions_before ORDER BY id;

INSERT INTO interaction_keys (sales_channel_id, message_digest, interaction_id, occurred_at)
SELECT sales_channel_id, encode(substring(sha256(convert_to(message_id, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid, id,
       occurred_at
FROM interactions_before WHERE message_id <> '';

SELECT setval('interaction_ids', greatest(max(id), 1), max(id) IS NOT NULL) FROM interactions_before;

DROP TABLE interactions_before;

ALTER TABLE channel_interactions ADD CONSTRAINT channel_interactions_pkey PRIMARY KEY (id, occurred_at);
CREATE INDEX interactions_customer ON channel_interactions (customer_id, occurred_at DESC);
CREATE INDEX interactions_channel ON channel_interactions (sales_channel_id, occurred_at DESC);
CREATE INDEX interactions_journey ON channel_interactions (journey_id) WHERE journey_id IS NOT NULL;
CREATE INDEX interactions_received ON channel_interactions (received_at);
"""


class Migration(migrations.Migration):
    """Interactions lie in partitions by month; a table of keys decides which message was told before."""

    dependencies = [
        ("channels", "0003_who_tells_the_platform"),
        ("customers", "0002_merge_suggestions"),
        ("integrations", "0014_captures_in_parts"),  # it has an index on the table as it was
        ("journeys", "0002_journey_marks"),
    ]

    operations = [
        migrations.RunSQL([NEW_TABLE, MONTHS, FILL], migrations.RunSQL.noop),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(model_name="channelinteraction", name="interactions_once"),
                migrations.AlterField(
                    model_name="channelinteraction",
                    name="customer",
                    field=models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="interactions",
                        to="customers.omnichannelcustomer",
                    ),
                ),
                migrations.AlterField(
                    model_name="channelinteraction",
                    name="sales_channel",
                    field=models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="interactions",
                        to="channels.saleschannel",
                    ),
                ),
                migrations.AlterField(
                    model_name="channelinteraction",
                    name="journey",
                    field=models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="interactions",
                        to="journeys.crosschanneljourney",
                    ),
                ),
                migrations.AddIndex(
                    model_name="channelinteraction",
                    index=models.Index(
                        condition=models.Q(("journey", None), _negated=True),
                        fields=["journey"],
                        name="interactions_journey",
                    ),
                ),
                migrations.AlterField(
                    model_name="journeytouchpoint",
                    name="interaction",
                    field=models.OneToOneField(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="touchpoint",
                        to="journeys.channelinteraction",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WriteKey",
            fields=[
                ID(),
                ("key", models.CharField(max_length=100, unique=True)),
                (
                    "space",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Channels with the same word here have the same accounts: one user id is one person on all of them",
                        max_length=60,
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False)),
                ("created_by", models.CharField(blank=True, default="", max_length=100)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("sales_channel", CHANNEL("write_keys")),
            ],
            options={"db_table": "write_keys", "ordering": ["-id"]},
        ),
        migrations.CreateModel(
            name="EventName",
            fields=[
                ID(),
                ("name", models.CharField(max_length=200)),
                (
                    "becomes",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="One of the sixteen types, or nothing; empty: to be decided",
                        max_length=18,
                    ),
                ),
                ("count", models.BigIntegerField(default=0)),
                ("first_seen_at", models.DateTimeField(db_default=Now())),
                ("last_seen_at", models.DateTimeField(db_default=Now())),
                ("sales_channel", CHANNEL("event_names")),
            ],
            options={
                "db_table": "event_names",
                "ordering": ["-count", "name"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("becomes", ""), _negated=True),
                        fields=["sales_channel"],
                        name="event_names_decided",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("sales_channel", "name"), name="event_names_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SetAsideEvent",
            fields=[
                ID(),
                ("dialect", models.CharField(max_length=20)),
                ("reason", models.CharField(max_length=300)),
                ("message_id", models.CharField(blank=True, default="", max_length=100)),
                ("payload", models.JSONField(default=dict)),
                ("received_at", models.DateTimeField(db_default=Now())),
                ("sales_channel", CHANNEL("events_set_aside")),
            ],
            options={
                "db_table": "events_set_aside",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["sales_channel", "-id"], name="events_set_aside_channel"),
                    models.Index(fields=["received_at"], name="events_set_aside_received"),
                ],
            },
        ),
    ]
