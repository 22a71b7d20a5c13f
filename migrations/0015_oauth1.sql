-- OAuth 1.0a (RFC 5849). A signature can only be checked by who can read the secrets again: they rest sealed, under a
-- key that is not in here.
-- Which keys seal what is in here; a node that lacks one of them does not start.
CREATE TABLE sealing_keys (
    id TEXT NOT NULL PRIMARY KEY,
    first_used_at TIMESTAMPTZ NOT NULL
);
-- Held by whoever says which keys there are: of two nodes that start at once the later sees the earlier's.
INSERT INTO locks (name, held) VALUES ('sealing_keys', 0);

-- Whoever has a row here speaks OAuth 1.0a.
CREATE TABLE oauth1_consumers (
    application_id UUID NOT NULL PRIMARY KEY REFERENCES applications (id) ON DELETE CASCADE,
    secret_sealed BYTEA NOT NULL,
    -- SubjectPublicKeyInfo in DER, for RSA-SHA1.
    rsa_public_key BYTEA,
    created_at TIMESTAMPTZ NOT NULL,
    rotated_at TIMESTAMPTZ
);

-- `user_id` is who was shown it, and once it is decided who decided. A denied one has no grant.
CREATE TABLE oauth1_request_tokens (
    hash BYTEA NOT NULL PRIMARY KEY,
    application_id UUID NOT NULL,
    secret_sealed BYTEA NOT NULL,
    -- A redirect URI, or `oob`.
    callback TEXT NOT NULL,
    scopes JSONB NOT NULL,
    user_id UUID,
    grant_id UUID REFERENCES grants (id) ON DELETE CASCADE,
    verifier_hash BYTEA,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    decided_at TIMESTAMPTZ,
    used_at TIMESTAMPTZ
);
CREATE INDEX oauth1_request_tokens_expires_at ON oauth1_request_tokens (expires_at) WHERE used_at IS NULL;
CREATE INDEX oauth1_request_tokens_application_id ON oauth1_request_tokens (application_id, expires_at)
    WHERE decided_at IS NULL;
CREATE INDEX oauth1_request_tokens_grant_id ON oauth1_request_tokens (grant_id) WHERE grant_id IS NOT NULL;

-- An authorization is a row in `grants`, as for OAuth 2.0: so whatever ends one ends the other.
CREATE TABLE oauth1_access_tokens (
    hash BYTEA NOT NULL PRIMARY KEY,
    grant_id UUID NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    secret_sealed BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX oauth1_access_tokens_grant_id ON oauth1_access_tokens (grant_id);
CREATE INDEX oauth1_access_tokens_expires_at ON oauth1_access_tokens (expires_at);
