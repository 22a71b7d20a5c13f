-- Where a token may be used (RFC 8707): an array of URIs; an empty one: nowhere in particular, so anywhere.
-- Of a grant it is the bound of all its access tokens.
ALTER TABLE grants ADD COLUMN resources JSONB NOT NULL DEFAULT '[]';
ALTER TABLE access_tokens ADD COLUMN resources JSONB NOT NULL DEFAULT '[]';
