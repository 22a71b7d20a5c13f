-- How an application authenticates (RFC 8705 §2): a JSON object, in which what is left out is the usual.
ALTER TABLE applications ADD COLUMN authentication JSONB NOT NULL DEFAULT '{}';
-- The SHA-256 of the certificate without which a token opens nothing (RFC 8705 §3, §4); NULL: it is a bearer token.
ALTER TABLE access_tokens ADD COLUMN certificate BYTEA;
ALTER TABLE refresh_tokens ADD COLUMN certificate BYTEA;
