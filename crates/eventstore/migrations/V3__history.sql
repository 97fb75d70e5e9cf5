-- An epoch is one history of the log. A restore or a promotion begins another one, and Postgres can tell: by the
-- server's identifier, its timeline, the database and the table. Whoever opens a connection to append compares.

alter table log_meta add column history text;

-- Null where the server does not say: some managed ones refuse these functions. Then the operator renews the epoch.
create function history_of_log() returns text language plpgsql as $$
begin
    return (select system_identifier from pg_control_system())
        || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
        || '/' || (select oid from pg_database where datname = current_database())
        || '/' || 'events'::regclass::oid;
exception
    when insufficient_privilege or undefined_function or feature_not_supported or object_not_in_prerequisite_state then
        return null;
end
$$;

-- Gives the log a new epoch if it is another history than it was, once whoever asks at the same time: the row's lock
-- decides, and who waited for it sees the new history. Looks once per connection. The new epoch, or null.
create function keep_epoch() returns uuid language plpgsql as $$
declare
    found_history text;
    old_history text;
    new_epoch uuid;
begin
    if current_setting('oms.history_is_known', true) = 'yes' then
        return null;
    end if;
    found_history := history_of_log();
    select history into old_history from log_meta;
    if found_history is distinct from old_history and found_history is not null then
        select history into old_history from log_meta for update;
        if found_history is distinct from old_history then
            -- The first time there is nothing to compare with, and the log goes on.
            update log_meta
            set history = found_history,
                epoch = case when old_history is null then epoch else gen_random_uuid() end
            returning case when old_history is null then null else epoch end into new_epoch;
        end if;
    end if;
    perform set_config('oms.history_is_known', 'yes', false);
    return new_epoch;
end
$$;
