-- What an administrator decides about one application beyond how it is reached and known.
-- NULL: the server's own.
ALTER TABLE applications ADD COLUMN default_scopes JSONB;
ALTER TABLE applications ADD COLUMN optional_scopes JSONB;
-- Seconds by the name of the grant.
ALTER TABLE applications ADD COLUMN access_token_ttls JSONB NOT NULL DEFAULT '{}';
ALTER TABLE applications ADD COLUMN reuse_access_token BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE applications ADD COLUMN revoke_previous_tokens BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE applications ADD COLUMN allowed_origins JSONB NOT NULL DEFAULT '[]';
