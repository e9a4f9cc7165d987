"""Whether anybody was erased, asked in one statement: each statement within the function sees what was committed before
it began, so after waiting for an erasure its digests are seen."""

from django.db import migrations

ASK = """
CREATE FUNCTION somebody_was_erased(lock bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(lock);
    RETURN EXISTS (SELECT FROM erased_identities);
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [("customers", "0005_privacy")]

    operations = [migrations.RunSQL(ASK, "DROP FUNCTION somebody_was_erased(bigint)")]
