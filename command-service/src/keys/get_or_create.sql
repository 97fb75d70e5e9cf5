-- $1 key_id, $2 owner, $3 key. Nothing comes back when another writer created the owner's key at the same
-- moment: its row is newer than this statement's snapshot. The caller asks again.
WITH created AS (
    INSERT INTO keys.personal_key (key_id, owner, key)
    VALUES ($1, $2, $3)
    ON CONFLICT (owner) DO NOTHING
    RETURNING key_id, key
)
SELECT key_id, key FROM created
UNION ALL
SELECT key_id, key FROM keys.personal_key WHERE owner = $2
LIMIT 1
