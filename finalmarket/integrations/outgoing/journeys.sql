-- What receivers hear of journeys. Those that are recognised in what lies long back are no news, as when a history is
-- brought in or persons are merged; one that is given up is news when that is found out.

CREATE OR REPLACE FUNCTION outgoing_note_journey() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    yesterday CONSTANT timestamptz := now() - interval '1 day';
    has_begun CONSTANT boolean := TG_OP = 'INSERT';
    has_ended CONSTANT boolean := NEW.state <> 'open' AND (TG_OP = 'INSERT' OR OLD.state IS DISTINCT FROM NEW.state);
BEGIN
    IF NOT outgoing_is_wanted() THEN
        RETURN NULL;
    END IF;
    IF has_begun AND (NOT NEW.is_recognised OR NEW.started_at > yesterday) THEN
        INSERT INTO outgoing_events (topic, subject_id) VALUES ('journey.started', NEW.id);
    END IF;
    IF has_ended THEN
        INSERT INTO outgoing_events (topic, subject_id) SELECT 'journey.' || NEW.state, NEW.id
        WHERE NOT NEW.is_recognised OR CASE NEW.state WHEN 'abandoned' THEN NEW.closes_at ELSE NEW.ended_at END > yesterday;
    ELSIF NOT has_begun THEN  -- it has another intent, or was opened again
        INSERT INTO outgoing_events (topic, subject_id) VALUES ('journey.changed', NEW.id);
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS journeys_outgoing_ended ON cross_channel_journeys;
DROP TRIGGER IF EXISTS journeys_outgoing_started ON cross_channel_journeys;
CREATE TRIGGER journeys_outgoing_started AFTER INSERT ON cross_channel_journeys FOR EACH ROW
    EXECUTE FUNCTION outgoing_note_journey();

DROP TRIGGER IF EXISTS journeys_outgoing_changed ON cross_channel_journeys;
CREATE TRIGGER journeys_outgoing_changed AFTER UPDATE OF state, intent ON cross_channel_journeys FOR EACH ROW
    WHEN ((OLD.state, OLD.intent) IS DISTINCT FROM (NEW.state, NEW.intent)) EXECUTE FUNCTION outgoing_note_journey();
