-- The refresh token stays the same, for an application that authenticates (RFC 9700 §4.14.2 asks rotation of public ones).
ALTER TABLE applications ADD COLUMN reuse_refresh_token BOOLEAN NOT NULL DEFAULT FALSE;
