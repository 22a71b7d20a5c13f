-- Rows that are updated to be held, where a rule is about many rows and no one of them can be.
CREATE TABLE locks (
    name TEXT NOT NULL PRIMARY KEY,
    held BIGINT NOT NULL
);
-- Held by whoever might leave no administrator.
INSERT INTO locks (name, held) VALUES ('administrators', 0);
-- Whose an application is; NULL: the administrators'. It outlives the user.
ALTER TABLE applications ADD COLUMN owner_id UUID;
