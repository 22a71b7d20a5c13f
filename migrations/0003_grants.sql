-- What a person was asked, kept on the server from the request to the code.
CREATE TABLE authorization_requests (
    hash BYTEA NOT NULL PRIMARY KEY,
    application_id UUID NOT NULL,
    user_id UUID,
    request TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    decided_at TIMESTAMPTZ
);
CREATE INDEX authorization_requests_expires_at ON authorization_requests (expires_at);

-- One act of authorization: the root of a code and its tokens. Revoking this row kills the family.
-- No foreign keys to applications and users here and on access_tokens: Postgres would lock the one
-- parent row for every token issued, and both parents are only ever marked deleted while children live.
CREATE TABLE grants (
    id UUID NOT NULL PRIMARY KEY,
    application_id UUID NOT NULL,
    user_id UUID NOT NULL,
    -- users.epoch when the user was asked; the grant is dead at any other.
    user_epoch BIGINT NOT NULL,
    grant_type TEXT NOT NULL,
    scopes JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    revoked_reason TEXT
);
CREATE INDEX grants_user_id ON grants (user_id, application_id);
CREATE INDEX grants_application_id ON grants (application_id) WHERE revoked_at IS NULL;
CREATE INDEX grants_expires_at ON grants (expires_at);

CREATE TABLE authorization_codes (
    hash BYTEA NOT NULL PRIMARY KEY,
    grant_id UUID NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    redirect_uri TEXT NOT NULL,
    redirect_uri_sent BOOLEAN NOT NULL,
    code_challenge TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ,
    failures BIGINT NOT NULL
);
CREATE INDEX authorization_codes_grant_id ON authorization_codes (grant_id);
CREATE INDEX authorization_codes_expires_at ON authorization_codes (expires_at);

-- `grant_id` is absent where no person was asked (client_credentials): such a token is its own family.
CREATE TABLE access_tokens (
    hash BYTEA NOT NULL PRIMARY KEY,
    application_id UUID NOT NULL,
    grant_id UUID,
    scopes JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ
);
CREATE INDEX access_tokens_grant_id ON access_tokens (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX access_tokens_application_id ON access_tokens (application_id) WHERE grant_id IS NULL;
CREATE INDEX access_tokens_expires_at ON access_tokens (expires_at);

-- A used row is the tombstone by which a replay is recognised. `retry_*` is the sealed answer that a
-- client whose answer was lost may have again within a short window.
CREATE TABLE refresh_tokens (
    hash BYTEA NOT NULL PRIMARY KEY,
    grant_id UUID NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    parent_hash BYTEA,
    scopes JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ,
    retry_sealed BYTEA,
    retry_client TEXT,
    retry_until TIMESTAMPTZ,
    retry_count BIGINT NOT NULL
);
CREATE INDEX refresh_tokens_grant_id ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at);
CREATE INDEX refresh_tokens_retry_until ON refresh_tokens (retry_until) WHERE retry_sealed IS NOT NULL;

-- What a user has remembered as allowed to an application.
CREATE TABLE consents (
    user_id UUID NOT NULL,
    application_id UUID NOT NULL,
    scopes JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, application_id)
);
CREATE INDEX consents_application_id ON consents (application_id);
