-- An application's grants and own tokens are read newest first, a page at a time.
DROP INDEX grants_application_id;
CREATE INDEX grants_application_id ON grants (application_id, id) WHERE revoked_at IS NULL;
DROP INDEX access_tokens_application_id;
CREATE INDEX access_tokens_application_id ON access_tokens (application_id, created_at) WHERE grant_id IS NULL;
