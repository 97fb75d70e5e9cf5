//! Damages of what is derived from the logs: read tables, stock, reservations, invoices.

use super::damage::damage;
use super::shop::copy;

const UNPROTECTED: &str = "alter table orders.events disable trigger all; alter table inventory.events disable trigger all; \
                           alter table invoices.events disable trigger all;";
const PAID: &str = "(select order_id from order_view where payment_status = 'PAID' order by order_id limit 1)";

/// The schema of the live read tables.
pub fn view_schema() -> &'static str {
    let has_generations = copy().number("select (to_regclass('query.generation') is not null)::int::bigint") == 1;
    if has_generations { "query_1" } else { "query" }
}

/// Damages with the live read tables on the search path.
#[track_caller]
fn damage_views(statements: &str, expected: &[&str], words: &str) {
    damage(&format!("set search_path = {}; {statements}", view_schema()), expected, words);
}

#[test]
fn a_row_that_is_missing_or_too_many_is_found() {
    damage_views(&format!("delete from order_view where order_id = {PAID}"), &["order_view"], "has no row");
    damage_views(
        &format!(
            "insert into order_view select (jsonb_populate_record(v, '{{\"order_id\": \"{}\"}}')).* from order_view v
             where order_id = {PAID}",
            "01890a5d-ac96-774b-bcce-b302099a8057"
        ),
        &["order_view"],
        "has a row and no events",
    );
    damage_views(
        "delete from product_view where product_id = (select min(product_id::text)::uuid from product_view)",
        &["product_view"],
        "has no row",
    );
    damage_views(
        "delete from stock_view where product_id = (select min(product_id::text)::uuid from stock_view)",
        &["stock_view"],
        "has no row",
    );
    damage_views(
        "delete from invoice_view where number = (select min(number) from invoice_view where kind = 'INVOICE')",
        &["invoice_view"],
        "INV-",
    );
}

#[test]
fn a_column_that_was_changed_is_found() {
    for (column, value, and_the_sample) in [
        ("total", "total + 1", true),
        ("number", "number || 'x'", true),
        ("status", "'CANCELLED'", true),
        ("payment_status", "'REFUNDED'", true),
        ("fulfilment_status", "'SHIPPED'", false),
        ("currency", "'USD'", true),
        ("customer_id", "gen_random_uuid()", false),
        ("placed_at", "placed_at - interval '1 second'", true),
        ("updated_at", "updated_at - interval '1 second'", false),
        ("open_exception", "true", false),
        ("tags", "'{forged}'", false),
        ("product_ids", "'{}'", false),
    ] {
        let statement = format!("update order_view set {column} = {value} where order_id = {PAID}");
        let expected: &[&str] = if and_the_sample { &["order_view", "order_view.sample"] } else { &["order_view"] };
        damage_views(&statement, expected, "should be");
    }
}

#[test]
fn a_document_that_was_changed_is_found() {
    let set = |path: &str, value: &str| {
        format!(
            "update order_view set state = jsonb_set(state::jsonb, '{path}', '{value}')::json where order_id = {PAID}"
        )
    };
    damage_views(&set("{contact,email}", "\"eve@example.org\""), &["order_view"], "document /contact/email");
    damage_views(&set("{lines,0,quantity}", "9"), &["order_view", "order_view.sample"], "document /lines/0/quantity");
    damage_views(&set("{payments,0,captured}", "\"9\""), &["order_view", "order_view.sample"], "captured is 9");
    damage_views(
        "update invoice_view set document = jsonb_set(document::jsonb, '{document,orderNumber}', '\"x\"')::json
         where number = (select min(number) from invoice_view where kind = 'INVOICE')",
        &["invoice_view"],
        "/document/orderNumber",
    );
    damage_views(
        "update product_view set document = jsonb_set(document::jsonb, '{details,name}', '\"x\"')::json
         where product_id = (select min(product_id::text)::uuid from product_view)",
        &["product_view"],
        "document /details/name",
    );
    damage_views(
        "update stock_view set on_hand = on_hand + 1
         where product_id = (select min(product_id::text)::uuid from stock_view)",
        &["stock_view"],
        "should show",
    );
}

#[test]
fn a_product_that_is_not_what_its_events_say_is_found() {
    damage("update inventory.product set name = name || 'x'", &["products"], "should be");
    damage("update inventory.price set amount = amount + 1", &["products"], "its prices are");
    damage("update inventory.product set status = 'ARCHIVED'", &["products"], "ARCHIVED");
}

#[test]
fn an_order_that_its_cart_or_discount_does_not_know_is_found() {
    const CHECKOUTS: &[&str] = &["orders.checkouts"];
    damage("update orders.cart set ordered_at = null, status = 'OPEN'", CHECKOUTS, "does not know it");
    damage("delete from orders.discount_use", CHECKOUTS, "does not count it");
    let twice =
        "insert into orders.discount_use select code, 'R-0', gen_random_uuid(), null, true from orders.discount_use";
    damage(twice, CHECKOUTS, "which has no events");
}

#[test]
fn stock_that_is_off_by_one_is_found() {
    const ONE: &str = "product_id = (select product_id from inventory.stock where reserved > 2 order by 1 limit 1)";
    damage(&format!("update inventory.stock set on_hand = on_hand + 1 where {ONE}"), &["stock.levels"], "on hand");
    damage(
        &format!("update inventory.stock set reserved = reserved - 1 where {ONE}"),
        &["stock.levels", "stock.reserved"],
        "its open reservations hold",
    );
    damage(
        &format!("update inventory.stock set stream_version = stream_version + 1 where {ONE}"),
        &["stock.levels"],
        "its row counts",
    );
    // The newest levels stay, so only the way to them is wrong.
    let level = |field: &str, by: i64| {
        format!(
            "{UNPROTECTED} update inventory.events set payload = convert_to(jsonb_set(convert_from(payload, 'UTF8')::jsonb,
             '{{lines,0,{field}}}', to_jsonb((convert_from(payload, 'UTF8')::jsonb #>> '{{lines,0,{field}}}')::bigint + {by}))::text, 'UTF8')
             where event_id = (select event_id from inventory.events where type = 'StockReserved' order by recorded_at limit 1)"
        )
    };
    damage(&level("onHand", 1), &["stock.moves", "stock_movement"], "on hand goes from");
    damage(&level("reserved", 1), &["stock.moves", "stock_movement"], "reserved from");
    let newest = ["stock.levels", "stock.moves", "stock_movement", "stock_view"];
    damage(&level("stockVersion", 1000), &newest, "follows version");
    let elsewhere = format!("update inventory.stock set elsewhere = '{{\"north\": 1}}' where {ONE}");
    damage(&elsewhere, &["stock.levels"], "at other locations");
}

#[test]
fn movements_of_stock_that_are_not_those_of_the_log_are_found() {
    const ONE: &str = "event_id = (select event_id from inventory.stock_movement order by occurred_at limit 1)";
    let damaged = |change: &str, told: &str| damage(&format!("{change} where {ONE}"), &["stock_movement"], told);
    damaged("delete from inventory.stock_movement", "is missing");
    damaged("update inventory.stock_movement set quantity = quantity + 1", "differs from the log");
    damaged("update inventory.stock_movement set event_id = gen_random_uuid()", "is not in the log");
}

#[test]
fn a_reservation_that_is_not_what_its_events_say_is_found() {
    const LIVE: &str =
        "order_id = (select order_id from inventory.reservation where state = 'ATTACHED' order by 1 limit 1)";
    let more = "lines = (select jsonb_object_agg(key, value::bigint + 1) from jsonb_each_text(lines))";
    damage(
        &format!("update inventory.reservation set {more} where {LIVE}"),
        &["orders.stock", "reservations", "stock.reserved"],
        "and holds",
    );
    damage(
        &format!("delete from inventory.reservation where {LIVE}"),
        &["orders.stock", "reservations", "stock.reserved"],
        "has no reservation",
    );
    damage(
        &format!("update inventory.reservation set state = 'RELEASED' where {LIVE}"),
        &["orders.stock", "reservations", "stock.reserved"],
        "its reservation is RELEASED",
    );
    damage(
        &format!("update inventory.reservation set order_version = 99 where {LIVE}"),
        &["orders.stock"],
        "has seen version 99",
    );
    damage(
        &format!("update inventory.reservation set state = 'CONFIRMED' where {LIVE}"),
        &["reservations"],
        "should be ATTACHED",
    );
}

#[test]
fn stock_that_is_held_for_nobody_is_found() {
    let cancelled = "update inventory.reservation set state = 'CONFIRMED' where order_id =
                     (select order_id from inventory.reservation where state = 'RELEASED' order by 1 limit 1)";
    damage(cancelled, &["orders.stock", "reservations", "stock.reserved"], "is CANCELLED, needs nothing and holds");
    let pending = "where state = 'PENDING'";
    damage(
        &format!("update inventory.reservation set state = 'ATTACHED', expires_at = null {pending}"),
        &["reservations", "reservations.orphans"],
        "held for ord_01h455vb4pex5vsknk084sn02q, which does not exist",
    );
    damage(
        &format!("update inventory.reservation set expires_at = now() - interval '5 minutes' {pending}"),
        &["reservations", "reservations.orphans"],
        "waits since its time ended",
    );
}

#[test]
fn an_order_that_waits_for_stock_for_ever_is_found() {
    let released = r#"{"reservationRevision": 1, "occurredAt": "2026-01-01T00:00:00Z"}"#;
    let statement = format!(
        "with o as (
             select partition, stream_id, max(version) as version from orders.event_log
             group by partition, stream_id
             having bool_or(payload ->> 'paymentMethod' = 'invoice')
             order by stream_id limit 1
         ), moved as (
             update orders.log_head h set position = position + 1 from o where h.partition = o.partition
             returning h.partition, h.position, h.last_recorded_at
         )
         insert into orders.events
         select o.partition, moved.position, o.stream_id, 'Order', o.version + 1, gen_random_uuid(), null, 'StockReleased', 1,
                convert_to('{released}', 'UTF8'), (select metadata from orders.events limit 1), moved.last_recorded_at
         from o, moved"
    );
    damage(&statement, &["orders.waiting"], "nothing ends that");
}

#[test]
fn an_invoice_that_is_missing_is_found() {
    damage("delete from invoices.invoice where version = 1 and kind = 'INVOICE'", &["invoices.table"], "INV-");
    damage(
        "update invoices.invoice set order_id = gen_random_uuid() where version = 1 and kind = 'INVOICE'",
        &["invoices.table"],
        "should be",
    );
    let gone = "with last as (
                    delete from invoices.events e using (
                        select max(version) as version from invoices.events where type = 'InvoiceIssued'
                    ) newest
                    where e.version = newest.version and e.type = 'InvoiceIssued' returning e.partition, e.position, e.version, e.stream_id
                ), table_row as (
                    delete from invoices.invoice i using last where i.series = last.stream_id and i.version = last.version
                ), view_row as (
                    delete from invoice_view i using last
                    where i.number = last.stream_id || '-' || lpad(last.version::text, 6, '0')
                ), table_reader as (
                    update invoices.reader_checkpoint c set position = c.position - 1, event_id = null
                    from last where c.log = 'invoices' and c.partition = last.partition
                ), view_reader as (
                    update query.reader_checkpoint c set position = c.position - 1, event_id = null
                    from last where c.log = 'invoices' and c.partition = last.partition
                )
                update invoices.log_head h set position = h.position - 1 from last where h.partition = last.partition";
    damage_views(&format!("{UNPROTECTED} {gone}"), &["orders.invoices"], "and has no invoice");
}

#[test]
fn an_order_with_two_invoices_is_found() {
    let again = "with moved as (
                     update invoices.log_head h set position = h.position + 1
                     where h.position = (select max(position) from invoices.log_head)
                     returning h.partition, h.position, h.last_recorded_at
                 )
                 insert into invoices.events
                 select e.partition, moved.position, e.stream_id, e.stream_type, moved.position, gen_random_uuid(), null, e.type, 1,
                        e.payload, e.metadata, moved.last_recorded_at
                 from invoices.events e, moved where e.version = 1 and e.type = 'InvoiceIssued'";
    damage(again, &["invoices.causes", "invoices.once"], "INV-");
}

#[test]
fn an_invoice_that_asks_for_another_sum_is_found() {
    let sum = format!(
        "{UNPROTECTED} update invoices.events set payload = convert_to(jsonb_set(convert_from(payload, 'UTF8')::jsonb,
         '{{totals,total}}', '\"999.00\"')::text, 'UTF8') where version = 2 and type = 'InvoiceIssued'"
    );
    damage(&sum, &["invoice_view", "invoices.table", "invoices.totals"], "asks for 999.00 EUR and the order cost");
    let cause = format!(
        "{UNPROTECTED} update invoices.events set payload = convert_to(jsonb_set(convert_from(payload, 'UTF8')::jsonb,
         '{{orderVersion}}', '1')::text, 'UTF8')
         where type = 'InvoiceIssued'
         and version = (select min(version) from invoices.event_log where payload ->> 'orderVersion' <> '1')"
    );
    damage(&cause, &["invoice_view", "invoices.causes", "invoices.table"], "is not its cause");
}

#[test]
fn a_credit_note_over_another_sum_than_is_owed_less_is_found() {
    let sum = format!(
        "{UNPROTECTED} update invoices.events set payload = convert_to(jsonb_set(convert_from(payload, 'UTF8')::jsonb,
         '{{totals,total}}', '\"999.00\"')::text, 'UTF8') where version = 1 and type = 'CreditNoteIssued'"
    );
    damage(&sum, &["invoice_view", "invoices.table", "orders.credit-notes"], "credits 999.00 and");
}
