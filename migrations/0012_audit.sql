-- Who did what to what, from where: written in the transaction of the change, kept for audit_log_ttl. Holds no
-- secret: `detail` has members of a fixed list and no free text.
-- No foreign keys: the log outlives what it tells of. `id` is made of `at`, so its order is that of time.
CREATE TABLE audit_events (
    id UUID NOT NULL PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    event TEXT NOT NULL,
    -- user, application, operator, system or anonymous; `actor_id` names the first two.
    actor TEXT NOT NULL,
    actor_id UUID,
    user_id UUID,
    application_id UUID,
    grant_id UUID,
    -- Of failures that are counted together, the whole network of an IPv6 address.
    address TEXT,
    request_id TEXT,
    detail JSONB NOT NULL
);
CREATE INDEX audit_events_actor_id ON audit_events (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_events_user_id ON audit_events (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_events_application_id ON audit_events (application_id, id) WHERE application_id IS NOT NULL;
