-- Registered OAuth clients.
CREATE TABLE applications (
    id UUID NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL,
    name TEXT NOT NULL,
    confidential BOOLEAN NOT NULL,
    trusted BOOLEAN NOT NULL,
    require_pkce BOOLEAN NOT NULL,
    introspect BOOLEAN NOT NULL,
    send_iss BOOLEAN NOT NULL,
    localhost_any_port BOOLEAN NOT NULL,
    redirect_uris JSONB NOT NULL,
    scopes JSONB,
    grants JSONB NOT NULL,
    access_token_ttl BIGINT,
    refresh_token_ttl BIGINT,
    refresh_token_max_ttl BIGINT,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ,
    disabled_at TIMESTAMPTZ,
    deleted_at TIMESTAMPTZ
);
-- Over deleted ones too: a client_id never comes back under another owner.
CREATE UNIQUE INDEX applications_client_id ON applications (client_id);

-- Up to two live secrets an application, so that one can be rotated without downtime.
-- `hash` is the SHA-256 of a generated secret; `password_hash` the argon2id of one chosen by a person.
CREATE TABLE application_secrets (
    id UUID NOT NULL PRIMARY KEY,
    application_id UUID NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    hash BYTEA,
    password_hash TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ,
    expires_at TIMESTAMPTZ,
    CHECK ((hash IS NULL) <> (password_hash IS NULL))
);
CREATE INDEX application_secrets_application_id ON application_secrets (application_id);
