-- Codes that are mailed: whoever shows one reads the user's mail.
CREATE TABLE mailed_codes (
    -- SHA-256 of a random 256-bit code.
    code_hash bytea PRIMARY KEY CHECK (length(code_hash) = 32),
    purpose text NOT NULL CHECK (purpose IN ('verify-email', 'reset-password')),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX mailed_codes_by_user ON mailed_codes (user_id, purpose);

-- Mails on their way to users. The address is the user's, read when the mail is sent; the code is sealed like the signing keys, under the mail's id, and
-- gone once the mail is sent or given up.
CREATE TABLE letters (
    mail_id uuid PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('verify-email', 'reset-password')),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sealed_code bytea,
    nonce bytea,
    sealed_with text,
    state text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'SENT', 'DEAD')),
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    lease uuid,
    last_error text,
    -- A code that is over by then need not be sent.
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX letters_due ON letters (next_at) WHERE state = 'PENDING';
