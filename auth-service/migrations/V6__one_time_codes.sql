-- One-time codes (RFC 6238): a second proof for those who work in the shop.
CREATE TABLE one_time_secrets (
    user_id uuid PRIMARY KEY REFERENCES users (id),
    -- Sealed like the signing keys; the user's id is the associated data.
    sealed_secret bytea NOT NULL,
    nonce bytea NOT NULL CHECK (length(nonce) = 24),
    sealed_with text NOT NULL,
    -- Null until the first code was shown: codes are not asked for before.
    confirmed_at timestamptz,
    -- The time step of the last code that was taken: each is good once.
    last_step bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);
