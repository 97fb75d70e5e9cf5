delete from idempotency_claim
where scope_hash in (
    select scope_hash from idempotency_claim where expires_at <= clock_timestamp() limit $1 for update skip locked
)
