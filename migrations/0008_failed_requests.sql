-- What an application's requests were refused for, for whoever runs it: one row a kind, a few dozen an
-- application, written now and then. Holds no secret and nothing that identifies a person.
-- No foreign key, as on access_tokens. `id` is a hash of what the rows are told apart by.
CREATE TABLE failed_requests (
    id UUID NOT NULL PRIMARY KEY,
    application_id UUID NOT NULL,
    endpoint TEXT NOT NULL,
    error TEXT NOT NULL,
    reason TEXT NOT NULL,
    parameter TEXT,
    -- As sent, made harmless and cut; NULL where it may not be kept, or too many differed.
    value TEXT,
    -- Of the last one.
    request_id TEXT NOT NULL,
    first_seen_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    count BIGINT NOT NULL
);
CREATE INDEX failed_requests_application_id ON failed_requests (application_id, last_seen_at);
CREATE INDEX failed_requests_last_seen_at ON failed_requests (last_seen_at);
