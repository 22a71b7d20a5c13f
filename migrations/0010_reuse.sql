-- An access token that its application may be given again: sealed under the application's secret, found by
-- what it was issued for. Both are erased when it is revoked.
ALTER TABLE access_tokens ADD COLUMN reuse_key BYTEA;
ALTER TABLE access_tokens ADD COLUMN reuse_sealed BYTEA;
CREATE INDEX access_tokens_reuse_key ON access_tokens (reuse_key) WHERE reuse_key IS NOT NULL;
