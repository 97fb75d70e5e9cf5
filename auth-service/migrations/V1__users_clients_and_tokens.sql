-- Everything auth-service keeps. Tables are named unqualified: the pool's search_path decides the schema.

CREATE TABLE users (
    id uuid PRIMARY KEY,
    -- Normalised (trimmed, lower case): equal addresses are equal texts.
    email text NOT NULL CONSTRAINT users_email_key UNIQUE,
    email_verified_at timestamptz,
    name text,
    phone text,
    role text NOT NULL CONSTRAINT users_role_check CHECK (role IN ('customer', 'staff', 'admin')),
    -- An argon2id PHC string.
    password_hash text NOT NULL,
    disabled_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE clients (
    id uuid PRIMARY KEY,
    name text NOT NULL CONSTRAINT clients_name_key UNIQUE,
    -- SHA-256 of a random 256-bit secret; null for a public client.
    secret_hash bytea CONSTRAINT clients_secret_hash_check CHECK (length(secret_hash) = 32),
    scopes text[] NOT NULL,
    grants text[] NOT NULL,
    redirect_uris text[] NOT NULL,
    disabled_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- The key that seals the signing keys where OMS_KEY_ENCRYPTION_KEY is not set; the row goes once it is.
CREATE TABLE local_encryption_key (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    key bytea NOT NULL CHECK (length(key) = 32)
);

CREATE TABLE signing_keys (
    -- RFC 7638 thumbprint of the public key.
    kid text PRIMARY KEY,
    public_jwk text NOT NULL,
    -- PKCS#8 sealed with XChaCha20-Poly1305; the kid is the associated data.
    sealed_private_key bytea NOT NULL,
    nonce bytea NOT NULL CHECK (length(nonce) = 24),
    -- Names the key that sealed it, so that a wrong one is told apart from a damaged row.
    sealed_with text NOT NULL,
    active_from timestamptz NOT NULL,
    -- Set when a newer key takes over: until then tokens it signed may still be valid.
    published_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A session is also the family of its refresh tokens: it ends with all of them.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    -- `oms` for the first-party login, else the OAuth client's id.
    client_id text NOT NULL,
    scope text NOT NULL,
    address text,
    user_agent text,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_because text,
    CONSTRAINT sessions_ended_check CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);
CREATE INDEX sessions_user_id_index ON sessions (user_id, id);
CREATE INDEX sessions_expires_at_index ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    -- SHA-256 of the token.
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    -- The successor is HMAC-SHA256(token, salt): whoever holds both can derive it again, the database alone can't.
    successor_hash bytea,
    successor_salt bytea,
    CONSTRAINT refresh_tokens_used_check
        CHECK ((used_at IS NULL) = (successor_hash IS NULL) AND (used_at IS NULL) = (successor_salt IS NULL))
);
CREATE INDEX refresh_tokens_session_id_index ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_expires_at_index ON refresh_tokens (expires_at);

-- Taking a position locks this row, so order of position is order of commit: a follower never misses one.
CREATE TABLE revocation_head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    position bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO revocation_head (position) VALUES (0);

CREATE TABLE revocations (
    position bigint PRIMARY KEY,
    kind text NOT NULL CONSTRAINT revocations_kind_check CHECK (kind IN ('token', 'session')),
    -- The jti of an access token, or the id of a session.
    subject text NOT NULL,
    revoked_at timestamptz NOT NULL DEFAULT now(),
    -- From then on every token it concerns has expired anyway.
    expires_at timestamptz NOT NULL,
    CONSTRAINT revocations_subject_key UNIQUE (kind, subject)
);
CREATE INDEX revocations_expires_at_index ON revocations (expires_at);

CREATE TABLE audit_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    action text NOT NULL,
    -- Who did it: a usr_ or cli_ id, `internal`, `cli`, or null for somebody unknown.
    actor text,
    -- What it was done to: an id.
    subject text,
    address text,
    detail text
);
CREATE INDEX audit_events_subject_index ON audit_events (subject, id);

CREATE FUNCTION refuse_to_rewrite_the_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit table is append-only';
END
$$;
CREATE TRIGGER audit_events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_the_audit();
