-- The authorization code flow: logins of browsers, codes, and what people have agreed to.

ALTER TABLE clients
    -- The shop's own: people are not asked whether it may act for them.
    ADD COLUMN first_party boolean NOT NULL DEFAULT false,
    -- Where a browser may be sent after logging out, compared as bytes.
    ADD COLUMN post_logout_redirect_uris text[] NOT NULL DEFAULT '{}';

-- A browser that has logged in at our own page.
CREATE TABLE browser_logins (
    id uuid PRIMARY KEY,
    -- SHA-256 of the cookie.
    hash bytea NOT NULL CONSTRAINT browser_logins_hash_key UNIQUE CHECK (length(hash) = 32),
    user_id uuid NOT NULL REFERENCES users (id),
    authenticated_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX browser_logins_user_id_index ON browser_logins (user_id);
CREATE INDEX browser_logins_expires_at_index ON browser_logins (expires_at);

ALTER TABLE sessions
    -- When the user proved who they are, and the browser login it came from; null for the JSON login.
    ADD COLUMN authenticated_at timestamptz,
    ADD COLUMN browser_login_id uuid;
CREATE INDEX sessions_browser_login_id_index ON sessions (browser_login_id) WHERE browser_login_id IS NOT NULL;

CREATE TABLE authorization_codes (
    -- SHA-256 of the code.
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    client_id uuid NOT NULL REFERENCES clients (id),
    user_id uuid NOT NULL REFERENCES users (id),
    browser_login_id uuid NOT NULL,
    authenticated_at timestamptz NOT NULL,
    redirect_uri text NOT NULL,
    scope text NOT NULL,
    nonce text,
    -- RFC 7636, always S256.
    code_challenge text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    -- The session it gave, which a second use ends.
    session_id uuid,
    CONSTRAINT authorization_codes_used_check CHECK ((used_at IS NULL) = (session_id IS NULL))
);
CREATE INDEX authorization_codes_expires_at_index ON authorization_codes (expires_at);

CREATE TABLE consents (
    user_id uuid NOT NULL REFERENCES users (id),
    client_id uuid NOT NULL REFERENCES clients (id),
    scope text NOT NULL,
    given_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, client_id)
);
