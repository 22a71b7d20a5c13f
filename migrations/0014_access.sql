-- Whether an application is for the users and groups alone that are named for it.
ALTER TABLE applications ADD COLUMN restricted BOOLEAN NOT NULL DEFAULT FALSE;
-- A group is no more than a name that users carry.
CREATE TABLE user_groups (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (user_id, name)
);
CREATE TABLE application_users (
    application_id UUID NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (application_id, user_id)
);
CREATE INDEX application_users_user_id ON application_users (user_id);
CREATE TABLE application_groups (
    application_id UUID NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (application_id, name)
);
-- Count what takes access away: from the application, and from the user. A grant carries their sum as it was
-- when it was made, and is dead at any other; those that stay good are taken along. Neither count ever falls,
-- so the sum is what it was only while neither has moved.
ALTER TABLE applications ADD COLUMN access_epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN access_epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE grants ADD COLUMN access_epoch BIGINT NOT NULL DEFAULT 0;
-- Held by whoever changes who may use what: of two who each leave somebody one way in, the later sees both, and
-- neither waits for a grant that the other has while it has one that the other wants.
INSERT INTO locks (name, held) VALUES ('access', 0);
