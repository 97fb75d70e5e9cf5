//! Damages of the logs themselves, and of those who follow them.

use super::damage::damage;

const UNPROTECTED: &str = "alter table orders.events disable trigger all; alter table inventory.events disable trigger all; \
                           alter table invoices.events disable trigger all;";

/// Appends one more event to the newest order that was not paid, past the code that appends. The parts that tests change
/// have names; `version` counts from the order's last.
struct Forged {
    version: i64,
    event_type: &'static str,
    payload: &'static str,
    event_id: &'static str,
    partition: &'static str,
    stream_id: &'static str,
}

const PLAIN: Forged = Forged {
    version: 1,
    event_type: "OrderHeld",
    payload: r#"{"reason": "forged", "occurredAt": "2026-01-01T00:00:00Z"}"#,
    event_id: "gen_random_uuid()",
    partition: "o.partition",
    stream_id: "o.stream_id",
};

impl Forged {
    fn statement(&self) -> String {
        let Self { version, event_type, payload, event_id, partition, stream_id } = self;
        format!(
            "with o as (
                 select partition, stream_id, max(version) as version from orders.events
                 group by partition, stream_id
                 having bool_and(type not like 'Payment%' and type not like '%Cancelled')
                 order by stream_id desc limit 1
             ), moved as (
                 update orders.log_head h set position = position + 1 from o where h.partition = {partition}
                 returning h.partition, h.position, h.last_recorded_at
             )
             insert into orders.events
             select moved.partition, moved.position, {stream_id}, 'Order',
                    case when {stream_id} = o.stream_id then o.version else 0 end + {version}, {event_id}, null,
                    '{event_type}', 1, convert_to({payload_sql}, 'UTF8'),
                    (select metadata from orders.events limit 1), moved.last_recorded_at
             from o, moved",
            payload_sql = if payload.starts_with('{') { format!("'{payload}'") } else { (*payload).to_owned() },
        )
    }
}

#[test]
fn a_forged_event_alone_is_nothing_wrong() {
    let shop = super::shop::copy();
    shop.run(&PLAIN.statement());
    shop.verify().expect_clean();
}

#[test]
fn a_head_that_was_moved_is_found() {
    for log in ["orders", "inventory", "invoices"] {
        let moved = format!("update {log}.log_head set position = position + 1 where partition = 3");
        damage(&moved, &[&format!("{log}.heads")], "partition 3: the head says");
    }
    let missing = "delete from orders.log_head where position = (select min(position) from orders.log_head)
                   and partition = (select min(partition) from orders.log_head h
                                    where h.position = (select min(position) from orders.log_head))";
    let shop = super::shop::copy();
    shop.run(missing);
    assert_eq!(shop.verify().code, 1);
}

#[test]
fn a_position_that_is_missing_is_found() {
    // Its readers have passed it, so what they show is of another position too.
    let skipped = format!(
        "{UNPROTECTED} update orders.log_head h set position = position + 1
         where partition = (select min(partition) from orders.events);
         update orders.events set position = position + 1000
         where partition = (select min(partition) from orders.events);
         update orders.events e set position = e.position - 1000 + case when e.position - 1000 = h.position - 1 then 1 else 0 end
         from orders.log_head h where h.partition = e.partition and e.position > 1000;
         update query_1.order_view v set position = e.position from orders.events e, orders.log_head h
         where h.partition = v.partition and e.partition = v.partition and e.position = h.position
           and v.position = h.position - 1 and v.partition = (select min(partition) from orders.events);
         update query.reader_checkpoint c set position = h.position from orders.log_head h
         where c.log = 'orders' and h.partition = c.partition;
         update orders.reader_checkpoint c set position = h.position from orders.log_head h
         where c.log = 'orders' and h.partition = c.partition;
         update inventory.reader_checkpoint c set position = h.position from orders.log_head h
         where c.log = 'orders' and h.partition = c.partition;
         update invoices.reader_checkpoint c set position = h.position from orders.log_head h
         where c.log = 'orders' and h.partition = c.partition;"
    );
    damage(&on_this_schema(&skipped), &["orders.heads", "orders.positions"], " follows ");
}

#[test]
fn time_that_runs_backwards_is_found() {
    let earlier = format!(
        "{UNPROTECTED} update orders.events set recorded_at = '2001-01-01' where (partition, position) =
         (select partition, position from orders.events where type = 'OrderAmended' and position > 1 limit 1)"
    );
    damage(&earlier, &["orders.positions"], "before its predecessor");
}

#[test]
fn a_version_that_is_missing_is_found() {
    damage(&Forged { version: 2, ..PLAIN }.statement(), &["orders.versions"], " where version ");
    let series = format!(
        "{UNPROTECTED} update invoices.events set version = version + 1 where version = (select max(version) from invoices.events)"
    );
    damage(&series, &["invoices.versions"], "INV-20");
}

#[test]
fn a_stream_in_a_foreign_partition_is_found() {
    let stream_id = "'ord_01h455vb4pex5vsknk084sn02r'";
    let foreign = (eventstore::partition_of("ord_01h455vb4pex5vsknk084sn02r", 8) + 1) % 8;
    let placed = "(select (payload - '{contact,shippingAddress,billingAddress,note}'::text[])::text
                   from orders.event_log where type = 'OrderPlaced' limit 1)";
    let partition: &'static str = ["0", "1", "2", "3", "4", "5", "6", "7"][usize::try_from(foreign).unwrap()];
    let forged = Forged { stream_id, partition, event_type: "OrderPlaced", payload: placed, ..PLAIN };
    damage(&forged.statement(), &["orders.partitions"], "belongs into");
}

#[test]
fn what_is_there_twice_is_found() {
    let event_id = "(select event_id from orders.events where version = 1 limit 1)";
    damage(&Forged { event_id, ..PLAIN }.statement(), &["orders.ids"], "is there 2 times");
    let command = format!(
        "{UNPROTECTED} drop index orders.events_stream_command_key;
         update orders.events e set command_id = f.command_id from orders.events f
         where f.command_id is not null and e.stream_id = f.stream_id and e.version = f.version + 1 and e.command_id is null"
    );
    damage(&command, &["orders.ids"], "was appended 2 times");
}

#[test]
fn an_event_that_cannot_be_read_is_found() {
    damage(&Forged { payload: r#"{"reason": 7}"#, ..PLAIN }.statement(), &["orders.events"], "OrderHeld v1");
    let huge = "jsonb_build_object('tags', jsonb_build_array(repeat('x', 4200000)), 'occurredAt', '2026-01-01T00:00:00Z')::text";
    damage(&Forged { event_type: "TagsChanged", payload: huge, ..PLAIN }.statement(), &["orders.events"], "bytes");
    let resealed = format!(
        "{UNPROTECTED} update orders.events set payload = convert_to(jsonb_set(convert_from(payload, 'UTF8')::jsonb,
         '{{contact,enc,c}}', '\"AAAA\"')::text, 'UTF8')
         where stream_id = (select max(stream_id) from orders.events where type = 'OrderPlaced') and version = 1"
    );
    damage(&resealed, &["orders.events"], "does not open with its key");
    let metadata = format!("{UNPROTECTED} update invoices.events set metadata = '{{}}' where version = 1");
    damage(&metadata, &["invoices.events"], "its metadata");
}

#[test]
fn an_event_of_the_future_is_nothing_wrong() {
    let shop = super::shop::copy();
    shop.run(&Forged { event_type: "OrderGiftWrapped", ..PLAIN }.statement());
    let verified = shop.verify();
    verified.expect_clean();
    assert_eq!(verified.notes("orders.events").len(), 1);
}

#[test]
fn a_reader_that_stands_still_or_has_seen_another_history_is_found() {
    let stopped = "update inventory.reader_checkpoint set stopped = 'a gap' where partition = 2";
    damage(stopped, &["readers"], "inventory-reservations v1 at orders/2 stands still: a gap");
    let ahead = "update orders.reader_checkpoint set position = position + 9 where reader = 'payment-windows' and partition = 1";
    damage(ahead, &["readers"], "the head is at");
    let other = "update invoices.reader_checkpoint set event_id = gen_random_uuid() where log = 'orders' and event_id is not null";
    damage(other, &["readers"], "another event");
    damage("update orders.log_meta set epoch = gen_random_uuid()", &["readers"], "another history");
    damage(
        "delete from orders.reader_checkpoint where reader = 'payment-windows' and partition = 0",
        &["readers"],
        "follows 7 of 8 partitions of orders",
    );
}

#[test]
fn a_parked_stream_is_found() {
    let parked = "insert into invoices.parked_stream (reader, reader_version, log, partition, stream_id, error)
                  values ('invoice-when-covered', 1, 'orders', 1, 'ord_x', 'refused')";
    damage(parked, &["parked"], "parked ord_x of orders");
}

#[test]
fn a_timer_that_did_not_fire_is_found() {
    let overdue = "update orders.timer set due_at = now() - interval '1 hour', last_error = 'refused'
                   where timer_id = (select min(timer_id) from orders.timer)";
    damage(overdue, &["timers"], "payment-window/ord_");
}

#[test]
fn a_claim_that_was_given_up_is_found_and_one_in_flight_is_not() {
    let open = |since: &str| {
        format!(
            "update orders.idempotency_claim set answered_at = null, status = null, lease_until = now() - interval '{since}'"
        )
    };
    damage(&open("1 hour"), &["claims"], "was given up");
    damage(
        "update orders.idempotency_claim set expires_at = now() - interval '2 hours'",
        &["claims"],
        "was to be deleted",
    );
    let held =
        "update orders.idempotency_claim set answered_at = null, status = null, lease_until = now() + interval '1 day'";
    damage(held, &["claims"], "is held until");
    let shop = super::shop::copy();
    shop.run(&open("1 minute"));
    shop.verify().expect_clean();
}

/// The read tables are in the schema of the live generation.
fn on_this_schema(statements: &str) -> String {
    statements.replace("query_1.", &format!("{}.", super::derived::view_schema()))
}
