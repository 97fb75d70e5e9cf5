-- private_key_jwt (RFC 7523): clients that prove themselves by a key of their own.

-- A JSON Web Key Set of public P-256 keys; such a client has no secret.
ALTER TABLE clients
    ADD COLUMN jwks text,
    ADD CONSTRAINT clients_one_proof_check CHECK (jwks IS NULL OR secret_hash IS NULL);

-- Assertions that have been used, until they expire by themselves.
CREATE TABLE used_assertions (
    client_id uuid NOT NULL REFERENCES clients (id),
    jti text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, jti)
);
CREATE INDEX used_assertions_expires_at_index ON used_assertions (expires_at);
