-- Roles that the shop makes for itself: staff with these scopes and no others.
CREATE TABLE roles (
    name text PRIMARY KEY CONSTRAINT roles_name_check CHECK (name ~ '^[a-z][a-z0-9-]{1,39}$'),
    scopes text[] NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE users
    ADD COLUMN custom_role text REFERENCES roles (name),
    ADD CONSTRAINT users_custom_role_check CHECK (custom_role IS NULL OR role = 'staff');
CREATE INDEX users_custom_role_index ON users (custom_role) WHERE custom_role IS NOT NULL;
