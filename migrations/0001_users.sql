-- People who can sign in. `username_key` is the one spelling that two users may not share.
CREATE TABLE users (
    id UUID NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    username_key TEXT NOT NULL,
    email TEXT,
    password_hash TEXT NOT NULL,
    admin BOOLEAN NOT NULL,
    -- Counts what ends everything at once (a new password, disabling): sessions and grants carry the count
    -- that they were made at, and are dead at any other.
    epoch BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    password_changed_at TIMESTAMPTZ NOT NULL,
    signed_in_at TIMESTAMPTZ,
    disabled_at TIMESTAMPTZ,
    deleted_at TIMESTAMPTZ
);
-- A deleted user's name is free again; the id never is.
CREATE UNIQUE INDEX users_username_key ON users (username_key) WHERE deleted_at IS NULL;

-- The one-time link that makes the first administrator.
CREATE TABLE setup_links (
    hash BYTEA NOT NULL PRIMARY KEY,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

-- Browser sessions, keyed by a hash of the cookie.
CREATE TABLE sessions (
    hash BYTEA NOT NULL PRIMARY KEY,
    user_id UUID,
    data TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_user_id ON sessions (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Browsers in which a user has signed in before: strangers' failures do not slow these down.
CREATE TABLE known_browsers (
    hash BYTEA NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX known_browsers_expires_at ON known_browsers (expires_at);

-- Failures counted by key: `full_until` is the unix second at which the bucket is empty again.
CREATE TABLE throttles (
    key BYTEA NOT NULL PRIMARY KEY,
    full_until BIGINT NOT NULL
);
CREATE INDEX throttles_full_until ON throttles (full_until);
