-- Idempotency-Key: a claim per key, answered once. Hashes are keyed, so a leaked table tells nothing about requests.

create table idempotency_secret (
    only_row boolean primary key default true check (only_row),
    secret   bytea   not null check (length(secret) = 32)
);

create table idempotency_claim (
    scope_hash  bytea       primary key,
    body_hash   bytea       not null,
    reserved    jsonb       not null,
    owner       uuid        not null,
    lease_epoch bigint      not null,
    lease_until timestamptz not null,
    answered_at timestamptz,
    status      smallint,
    headers     jsonb,
    body        bytea,
    concerns    text[]      not null default '{}',
    expires_at  timestamptz not null,
    check ((answered_at is null) = (status is null))
);

create index idempotency_claim_expires_at on idempotency_claim (expires_at);

-- Answers the claims of one batch of commands, all of them or none: a claim whose lease went to another owner
-- fails the transaction, and with it the append that it belongs to.
create function answer_claims(
    scope_hashes bytea[], owners uuid[], statuses smallint[], all_headers text[], bodies bytea[], all_concerns text[]
) returns void language plpgsql as $$
declare
    answered integer;
begin
    update idempotency_claim c
    set answered_at = clock_timestamp(), status = a.status, headers = a.headers::jsonb, body = a.body,
        concerns = array(select jsonb_array_elements_text(a.concerns::jsonb))
    from unnest(scope_hashes, owners, statuses, all_headers, bodies, all_concerns)
         as a (scope_hash, owner, status, headers, body, concerns)
    where c.scope_hash = a.scope_hash and c.owner = a.owner and c.answered_at is null;
    get diagnostics answered = row_count;
    if answered <> cardinality(scope_hashes) then
        raise exception '% of % claims are no longer ours', cardinality(scope_hashes) - answered,
            cardinality(scope_hashes) using errcode = 'OM001';
    end if;
end
$$;
