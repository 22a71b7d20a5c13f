-- Device authorization (RFC 8628): what a device without a browser waits for.
CREATE TABLE device_codes (
    hash BYTEA NOT NULL PRIMARY KEY,
    user_code_hash BYTEA NOT NULL,
    application_id UUID NOT NULL,
    scopes JSONB NOT NULL,
    resources JSONB NOT NULL,
    -- The address of the device, told to the person who is asked.
    requested_from TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    -- Kept beyond its end, so that a device that polls late is told why.
    forget_at TIMESTAMPTZ NOT NULL,
    -- Seconds between polls, and the unix second from which the next is welcome.
    poll_interval BIGINT NOT NULL,
    next_poll_at BIGINT NOT NULL,
    -- Who typed the user code; nobody else may decide.
    user_id UUID,
    -- The page that was shown for it last.
    confirmation_hash BYTEA,
    decided_at TIMESTAMPTZ,
    -- What was authorized; absent once decided: denied.
    grant_id UUID,
    used_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX device_codes_user_code_hash ON device_codes (user_code_hash);
CREATE INDEX device_codes_confirmation_hash ON device_codes (confirmation_hash) WHERE confirmation_hash IS NOT NULL;
CREATE INDEX device_codes_application_id ON device_codes (application_id) WHERE decided_at IS NULL;
CREATE INDEX device_codes_grant_id ON device_codes (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX device_codes_forget_at ON device_codes (forget_at);
