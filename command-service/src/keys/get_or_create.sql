-- $1 key_id, $2 owner, $3 key. Nothing comes back when another writer created the owner's key at the same
-- moment: its row is newer than this statement's snapshot. The caller asks again.
-- $4 is the synchronous_commit of this statement, the server's where it is null. What the key is going to seal is committed later in the same server's
-- WAL: if that is durable, so is the key. So it need not wait for the disk, unless what it seals goes elsewhere.
WITH hurry AS MATERIALIZED (
    SELECT set_config('synchronous_commit', coalesce($4::text, current_setting('synchronous_commit')), true) AS synchronous_commit
), created AS (
    INSERT INTO keys.personal_key (key_id, owner, key)
    SELECT $1::uuid, $2::text, $3::bytea FROM hurry WHERE synchronous_commit IS NOT NULL
    ON CONFLICT (owner) DO NOTHING
    RETURNING key_id, key
)
SELECT key_id, key FROM created
UNION ALL
SELECT key_id, key FROM keys.personal_key WHERE owner = $2
LIMIT 1
