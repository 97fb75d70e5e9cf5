//! The read tables built anew beside the live ones: the same rows, no request that notices, and nothing left behind.

use crate::{
    projecting::{busy_shop, dump},
    shop::{Instance, Shop, metadata, nothing, tagged},
};
use axum::body::Body;
use http::Method;
use query_service::rebuild::{self, Asked};
use serde_json::Value;
use shared_events::OrderId;
use test_support::{eventually, eventually_some};
use web::Consistency;

/// Asks for a rebuild; answers the number of the new generation.
async fn ask(shop: &Shop) -> i32 {
    match rebuild::ask(&shop.pool.get().await.unwrap()).await.unwrap() {
        Asked::Begun(number) => number,
        other => panic!("{other:?}"),
    }
}

async fn live(shop: &Shop) -> i32 {
    rebuild::live(&shop.pool.get().await.unwrap()).await.unwrap().unwrap()
}

async fn query<T: for<'a> pg::tokio_postgres::types::FromSql<'a>>(shop: &Shop, statement: &str) -> T {
    shop.pool.get().await.unwrap().query_one(statement, &[]).await.unwrap().get(0)
}

async fn is_there(shop: &Shop, schema: &str) -> bool {
    query(shop, &format!("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{schema}')")).await
}

/// Waits until nothing of a generation is left, in the pointer, in the checkpoints or as a schema.
async fn is_gone(shop: &Shop, number: i32) {
    eventually(|| async { !is_there(shop, &format!("query_{number}")).await }).await;
    for table in ["reader_checkpoint", "reader_member", "parked_stream"] {
        let left = format!("SELECT count(*) FROM {table} WHERE reader_version = {number}");
        assert_eq!(query::<i64>(shop, &left).await, 0, "{table}");
    }
    let left = format!("SELECT count(*) FROM generation_member WHERE generation = {number}");
    assert_eq!(query::<i64>(shop, &left).await, 0);
}

async fn readiness(instance: &Instance) -> (u16, Value) {
    let answer = instance.send(None, Method::GET, "/readyz", &[], Body::empty()).await;
    (answer.status.as_u16(), answer.body)
}

/// Appends an event that no projector of orders can read.
async fn poison(shop: &Shop, id: OrderId) {
    let broken = eventstore::Append {
        stream_id: id.to_string(),
        stream_type: "Order",
        expected: eventstore::Expected::Any,
        command_id: None,
        events: vec![shared_events::NewEvent {
            event_id: shared_events::EventId::generate(),
            event_type: "TagsChanged",
            schema_version: 1,
            payload: r#"{"tags": 7}"#.into(),
        }],
        metadata: metadata(),
        claim: None,
    };
    shop.orders.append(broken).await.unwrap();
}

async fn parked(shop: &Shop, number: i32) -> bool {
    let parked = format!("SELECT count(*) FROM parked_stream WHERE reader_version = {number}");
    query::<i64>(shop, &parked).await > 0
}

/// As if the processes that held them had been killed long ago.
async fn forget_leases(shop: &Shop) {
    let forget = "UPDATE reader_checkpoint SET lease_until = '-infinity';
                  UPDATE reader_member SET alive_until = '-infinity';
                  UPDATE generation_member SET alive_until = '-infinity'";
    shop.pool.get().await.unwrap().batch_execute(forget).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuilt_generation_has_the_rows_of_the_live_one_and_takes_its_place() {
    let shop = busy_shop().await;
    let before = dump(&shop.pool).await;
    assert_eq!(live(&shop).await, 1);
    let next = ask(&shop).await;
    let again = rebuild::ask(&shop.pool.get().await.unwrap()).await.unwrap();
    assert!(matches!(again, Asked::Running(number) if number == next), "one at a time: {again:?}");

    eventually(|| async { live(&shop).await == next }).await;
    assert_eq!(dump(&shop.pool).await, before, "row by row");
    is_gone(&shop, 1).await;
    let indexes = format!("SELECT count(*) FROM pg_indexes WHERE schemaname = 'query_{next}'");
    assert_eq!(query::<i64>(&shop, &indexes).await, 17, "all indexes are there before it answers");

    let (id, _, seen) = shop.place(None, "R-000000090").await;
    assert_eq!(shop.get(&format!("/api/orders/{id}"), &seen).await.status, 200);
    assert_eq!(readiness(&shop.first).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_while_orders_change_ends_and_misses_nothing() {
    let shop = busy_shop().await;
    let (id, key, _) = shop.place(None, "R-000000091").await;
    let next = ask(&shop).await;
    let mut last = nothing();
    for round in 0.. {
        last = shop.happens(id, &key, [tagged(&[&format!("round{round}")])]).await;
        let answer = shop.get(&format!("/api/orders/{id}"), &last).await;
        assert_eq!((answer.status.as_u16(), &answer.body["version"]), (200, &Value::from(last.0[0].1)), "{answer:?}");
        if live(&shop).await == next {
            break;
        }
    }
    assert_eq!(shop.get(&format!("/api/orders/{id}"), &last).await.status, 200);
    let after = dump(&shop.pool).await;

    let once_more = ask(&shop).await;
    eventually(|| async { live(&shop).await == once_more }).await;
    assert_eq!(dump(&shop.pool).await, after, "built in quiet, it is the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_keeps_the_generation_it_began_with() {
    let shop = busy_shop().await;
    let (id, key, seen) = shop.place(None, "R-000000092").await;
    assert_eq!(shop.get(&format!("/api/orders/{id}"), &seen).await.status, 200);
    let next_version = Consistency::of(id, 2);
    let path = format!("/api/orders/{id}");
    let reading = async {
        let answer = shop.get(&path, &next_version).await;
        assert_eq!((answer.status.as_u16(), &answer.body["version"]), (200, &Value::from(2)), "{answer:?}");
    };
    let rebuilding = async {
        let next = ask(&shop).await;
        eventually(|| async { live(&shop).await == next }).await;
        let is_member = "SELECT EXISTS (SELECT FROM generation_member WHERE generation = 1)";
        assert!(is_there(&shop, "query_1").await && query::<bool>(&shop, is_member).await, "somebody reads it");
        shop.happens(id, &key, [tagged(&["late"])]).await;
    };
    tokio::join!(reading, rebuilding);
    is_gone(&shop, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_build_together_and_both_go_over() {
    let shop = busy_shop().await;
    let second = shop.another_instance().await;
    eventually(|| async { readiness(&second).await.0 == 200 }).await;
    let before = dump(&shop.pool).await;
    let next = ask(&shop).await;
    let members = format!("SELECT count(*) FROM generation_member WHERE generation = {next}");
    eventually(|| async { query::<i64>(&shop, &members).await == 2 }).await;
    eventually(|| async { live(&shop).await == next }).await;
    assert_eq!(dump(&shop.pool).await, before);
    is_gone(&shop, 1).await;

    let (id, key, seen) = shop.place(None, "R-000000093").await;
    for instance in [&shop.first, &second] {
        assert_eq!(instance.get(&format!("/api/orders/{id}"), &seen).await.status, 200);
    }
    let seen = shop.happens(id, &key, [tagged(&["a"])]).await;
    for instance in [&shop.first, &second] {
        assert_eq!(instance.get(&format!("/api/orders/{id}"), &seen).await.body["version"], 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_stream_holds_the_pointer_until_it_is_skipped() {
    let shop = busy_shop().await;
    let (id, _, seen) = shop.place(None, "R-000000094").await;
    assert_eq!(shop.get(&format!("/api/orders/{id}"), &seen).await.status, 200);
    poison(&shop, id).await;
    let next = ask(&shop).await;
    eventually(|| async { parked(&shop, next).await }).await;
    // Others go on in both, and readiness says why the rebuild does not end.
    let (other, _, seen) = shop.place(None, "R-000000095").await;
    assert_eq!(shop.get(&format!("/api/orders/{other}"), &seen).await.status, 200);
    let other_row = format!("SELECT count(*) FROM query_{next}.order_view WHERE number = 'R-000000095'");
    eventually(|| async { query::<i64>(&shop, &other_row).await == 1 }).await;
    assert_eq!(live(&shop).await, 1);
    let (status, body) = readiness(&shop.first).await;
    assert_eq!((status, body["status"].as_str().unwrap()), (200, "degraded"), "{body}");

    assert!(feeds::parked::skip(&shop.pool, "query", "orders", &id.to_string()).await.unwrap());
    eventually(|| async { live(&shop).await == next }).await;
    assert_eq!(shop.get(&format!("/api/orders/{id}"), &nothing()).await.body["version"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_whose_process_is_killed_goes_on_where_it_was() {
    let shop = busy_shop().await;
    let before = dump(&shop.pool).await;
    let (id, _, _) = shop.place(None, "R-000000096").await;
    poison(&shop, id).await;
    // The one process that knows of the rebuild is killed in the middle of it.
    shop.first.lifecycle.shut_down(std::time::Duration::from_secs(5)).await;
    let next = ask(&shop).await;
    let keys = shop.keys.clone();
    let database = pg::Database::new(shop.database.url(), 16).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let killed = runtime.spawn(async move { Instance::start(&database, &keys).await.0 }).await.unwrap();
    eventually(|| async { parked(&shop, next).await }).await;
    runtime.shutdown_background();
    drop(killed);
    let moved =
        format!("SELECT coalesce(sum(position), 0)::bigint FROM reader_checkpoint WHERE reader_version = {next}");
    let got_to: i64 = query(&shop, &moved).await;
    assert!(got_to > 0 && live(&shop).await == 1);
    forget_leases(&shop).await;

    let table = format!("SELECT xmin::text FROM query_{next}.order_view ORDER BY position LIMIT 1");
    let written: String = query(&shop, &table).await;
    let resumed = shop.another_instance().await;
    let member = format!(
        "SELECT count(*) FROM generation_member WHERE generation = {next}
                          AND alive_until > clock_timestamp()"
    );
    eventually(|| async { query::<i64>(&shop, &member).await == 1 }).await;
    feeds::parked::skip(&shop.pool, "query", "orders", &id.to_string()).await.unwrap();
    eventually(|| async { live(&shop).await == next }).await;
    assert_eq!(query::<String>(&shop, &table).await, written, "what was written is not written again");
    let rows = dump(&shop.pool).await;
    assert!(before.iter().all(|row| rows.contains(row)), "{rows:?}");
    is_gone(&shop, 1).await;
    assert_eq!(readiness(&resumed).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_left_that_was_killed_after_the_flip_is_cleared_away() {
    let shop = busy_shop().await;
    let left: i32 = query(
        &shop,
        "INSERT INTO generation (shape, state, retired_at) VALUES (1, 'retired', now()) RETURNING generation",
    )
    .await;
    let leave = format!(
        "INSERT INTO generation_member VALUES ({left}, gen_random_uuid(), clock_timestamp() - interval '1 second');
         INSERT INTO reader_checkpoint (reader, reader_version, log, epoch, partition, position)
         VALUES ('query', {left}, 'orders', gen_random_uuid(), 0, 7)"
    );
    shop.pool.get().await.unwrap().batch_execute(&leave).await.unwrap();
    shop.deps.database.ensure_owner("oms_query", &[&format!("query_{left}")]).await.unwrap();
    is_gone(&shop, left).await;
    assert_eq!(live(&shop).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_binary_of_another_shape_builds_its_own_and_is_ready_with_the_flip() {
    let shop = busy_shop().await;
    let (id, _, _) = shop.place(None, "R-000000097").await;
    poison(&shop, id).await;
    // What is there was made by a binary of another shape.
    shop.first.lifecycle.shut_down(std::time::Duration::from_secs(5)).await;
    shop.pool.get().await.unwrap().execute("UPDATE generation SET shape = 0", &[]).await.unwrap();
    let new = shop.another_instance().await;
    let next: i32 =
        eventually_some(|| async { rebuild::running(&shop.pool.get().await.unwrap()).await.unwrap() }).await;
    eventually(|| async { parked(&shop, next).await }).await;
    let (status, body) = readiness(&new).await;
    assert_eq!(status, 503, "{body}");
    assert_eq!(body["checks"]["query.projection"]["detail"], "the first catch-up is not over", "{body}");
    assert_eq!(live(&shop).await, 1);

    feeds::parked::skip(&shop.pool, "query", "orders", &id.to_string()).await.unwrap();
    eventually(|| async { live(&shop).await == next && readiness(&new).await.0 == 200 }).await;
    is_gone(&shop, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_from_before_there_were_generations_are_replaced_by_a_first_one() {
    let database = test_support::database().await;
    database.ensure_owner("oms_query", &["query"]).await.unwrap();
    let pool = database.pool("query", Some("oms_query")).await.unwrap();
    let name = "V1__read_tables";
    let sql = include_str!("../../migrations/V1__read_tables.sql");
    let migrations = [pg::refinery::Migration::unapplied(name, sql).unwrap()];
    pg::migrate(&pool, "query_schema_history", pg::refinery::Runner::new(&migrations)).await.unwrap();
    feeds::migrate(&pool).await.unwrap();
    let checkpoint = "INSERT INTO reader_checkpoint (reader, reader_version, log, epoch, partition, position)
                      VALUES ('query', 1, 'orders', gen_random_uuid(), 0, 1000)";
    pool.get().await.unwrap().batch_execute(checkpoint).await.unwrap();

    let shop = Shop::open_on(database).await;
    let (id, _, seen) = shop.place(None, "R-000000098").await;
    assert_eq!(shop.get(&format!("/api/orders/{id}"), &seen).await.status, 200);
    assert_eq!(query::<i64>(&shop, "SELECT count(*) FROM query.order_view").await, 1, "the views show it");
    let written = shop.pool.get().await.unwrap().execute("UPDATE query.order_view SET version = 9", &[]).await;
    assert!(written.is_err(), "and are for reading only");
}
