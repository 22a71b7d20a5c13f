-- The protected resource. A memo belongs to a user, or to the application itself where no user was asked.
CREATE TABLE memos (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID,
    application_id UUID,
    message TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CHECK ((user_id IS NULL) <> (application_id IS NULL))
);
CREATE INDEX memos_user_id ON memos (user_id, created_at, id) WHERE user_id IS NOT NULL;
CREATE INDEX memos_application_id ON memos (application_id, created_at, id) WHERE application_id IS NOT NULL;
