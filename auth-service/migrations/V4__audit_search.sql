-- The audit is searched by who did it and by what was done, newest first.
CREATE INDEX audit_events_actor_index ON audit_events (actor, id);
CREATE INDEX audit_events_action_index ON audit_events (action, id);
