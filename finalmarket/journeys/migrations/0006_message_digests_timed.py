from django.db import migrations

# Web processes of the version before may serve for a while after this: a day later none of them does.
TIMED = """
CREATE TABLE message_digests_timed (since timestamptz NOT NULL);
INSERT INTO message_digests_timed (since)
SELECT statement_timestamp() + interval '1 day' WHERE EXISTS (SELECT FROM interaction_keys);
"""


class Migration(migrations.Migration):
    """Digests of messages begin with the time that their ids tell; where there are keys already, from tomorrow on."""

    dependencies = [("journeys", "0005_paths_in_order")]

    operations = [migrations.RunSQL(TIMED, "DROP TABLE message_digests_timed")]
