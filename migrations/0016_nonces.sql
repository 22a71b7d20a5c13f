-- By what a signed request is known when it comes again (RFC 5849 §3.3). `hash` is that of consumer key, token,
-- timestamp and nonce; a row outlives the moment at which its timestamp is refused anyway.
-- No foreign key, as on access_tokens.
CREATE TABLE oauth1_nonces (
    hash BYTEA NOT NULL PRIMARY KEY,
    application_id UUID NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX oauth1_nonces_expires_at ON oauth1_nonces (expires_at);
-- How many each application has is counted again and again.
CREATE INDEX oauth1_nonces_application_id ON oauth1_nonces (application_id, expires_at);
