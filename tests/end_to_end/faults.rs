//! Faults with the real parts: the process killed, Postgres gone, while orders are being placed. Whatever was
//! acknowledged is there afterwards, and stock is what the orders say.

use crate::system::{Answer, Folder, Sets, System, eventually, order_body, unique};
use reqwest::Method;
use std::{
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const BUYERS: usize = 8;

/// What buyers saw: the orders that were acknowledged, and everything else that was answered.
#[derive(Default)]
struct Seen {
    orders: Mutex<Vec<String>>,
    refusals: Mutex<Vec<Answer>>,
    lost_connections: AtomicUsize,
}

impl Seen {
    fn orders(&self) -> Vec<String> {
        self.orders.lock().unwrap().clone()
    }
}

/// Buys one piece after the other until told to stop.
fn buy(shop: &System, product: &str, seen: &Seen, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let request = shop.request(Method::POST, "/api/orders").header("Idempotency-Key", unique("fault"));
        match request.json(&order_body(product, 1)).timeout(Duration::from_secs(30)).send() {
            Ok(response) if response.status() == 201 => {
                // An answer that was cut off is not an acknowledgement.
                if let Ok(body) = response.json::<serde_json::Value>() {
                    seen.orders.lock().unwrap().push(body["orderId"].as_str().unwrap().to_owned());
                }
            }
            Ok(response) => seen.refusals.lock().unwrap().push(Answer::of(response)),
            Err(_) => {
                seen.lost_connections.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn assert_acknowledged_orders_are_there(shop: &System, orders: &[String]) {
    for order in orders {
        let path = format!("/api/orders/{order}");
        eventually("an acknowledged order is readable", || (shop.get(&path).status == 200).then_some(()));
    }
}

#[test]
fn killing_the_process_loses_nothing_that_was_acknowledged() {
    let folder = Folder::new();
    let shop = System::start(&folder, &[]);
    let product = shop.product("1.00", 100_000);
    let (seen, stop) = (Seen::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        let _at_the_end = Sets(&stop);
        for _ in 0..BUYERS {
            scope.spawn(|| buy(&shop, &product, &seen, &stop));
        }
        eventually("orders are being placed", || (seen.orders().len() >= 100).then_some(()));
        kill_services(&shop);
        eventually("the buyers notice", || (seen.lost_connections.load(Ordering::Relaxed) >= BUYERS).then_some(()));
    });
    drop(shop);

    let shop = System::start(&folder, &[]);
    let orders = seen.orders();
    assert_acknowledged_orders_are_there(&shop, &orders);
    // What was placed but not acknowledged may be there too; what was only reserved is given back in time.
    let placed = eventually("reservations without orders are given up", || {
        let placed = i64::try_from(count_orders(&shop)).unwrap();
        (shop.stock(&product) == [100_000, placed, 100_000 - placed]).then_some(placed)
    });
    assert!(usize::try_from(placed).unwrap() >= orders.len());
    shop.stop();
}

/// Kills the system, not its Postgres.
pub fn kill_services(shop: &System) {
    let killed = Command::new("pkill").args(["-KILL", "-P", &shop.process_id().to_string(), "oms"]).status().unwrap();
    assert!(killed.success(), "there was no process to kill");
}

fn count_orders(shop: &System) -> usize {
    let query = serde_json::json!({"query": "{ orders(first: 1) { totalCount } }"});
    let answer = shop.post("/graphql", &query).expect(200);
    usize::try_from(answer.body["data"]["orders"]["totalCount"].as_u64().unwrap()).unwrap()
}

#[test]
fn a_postgres_that_does_not_answer_gives_503_and_is_used_again_when_it_does() {
    let folder = Folder::new();
    let shop = System::start(&folder, &[]);
    let product = shop.product("1.00", 100_000);
    let (seen, stop) = (Seen::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        let _at_the_end = Sets(&stop);
        for _ in 0..BUYERS {
            scope.spawn(|| buy(&shop, &product, &seen, &stop));
        }
        eventually("orders are being placed", || (seen.orders().len() >= 50).then_some(()));
        signal_postgres(&folder, "STOP");
        let frozen = Instant::now();
        eventually("buyers are refused", || (seen.refusals.lock().unwrap().len() >= BUYERS).then_some(()));
        assert!(frozen.elapsed() < Duration::from_secs(60), "a refusal must not take for ever");
        signal_postgres(&folder, "CONT");
        let before = seen.orders().len();
        eventually("orders are placed again", || (seen.orders().len() >= before + 50).then_some(()));
    });
    for refusal in seen.refusals.into_inner().unwrap() {
        assert_eq!(refusal.status, 503, "{}", refusal.body);
        assert!(!refusal.header("retry-after").is_empty());
    }
    let orders = seen.orders.into_inner().unwrap();
    assert_acknowledged_orders_are_there(&shop, &orders);
    shop.stop();
}

#[test]
fn a_postgres_that_crashes_is_started_again_and_nothing_acknowledged_is_lost() {
    let folder = Folder::new();
    let shop = System::start(&folder, &[]);
    let product = shop.product("1.00", 100_000);
    let (seen, stop) = (Seen::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        let _at_the_end = Sets(&stop);
        for _ in 0..BUYERS {
            scope.spawn(|| buy(&shop, &product, &seen, &stop));
        }
        eventually("orders are being placed", || (seen.orders().len() >= 50).then_some(()));
        signal_postgres(&folder, "KILL");
        let before = seen.orders().len();
        eventually("orders are placed again", || (seen.orders().len() >= before + 50).then_some(()));
    });
    for refusal in seen.refusals.into_inner().unwrap() {
        assert_eq!(refusal.status, 503, "{}", refusal.body);
    }
    let orders = seen.orders.into_inner().unwrap();
    assert_acknowledged_orders_are_there(&shop, &orders);
    shop.stop();
}

/// Signals every process of the embedded Postgres, which has a session of its own.
fn signal_postgres(folder: &Folder, signal: &str) {
    let pid_file = find(folder.path(), "postmaster.pid").expect("an embedded Postgres runs");
    let pid = std::fs::read_to_string(pid_file).unwrap().lines().next().unwrap().to_owned();
    let session = Command::new("ps").args(["-o", "sid=", "-p", &pid]).output().unwrap().stdout;
    let session = String::from_utf8(session).unwrap().trim().to_owned();
    assert!(Command::new("pkill").args([&format!("-{signal}"), "-s", &session]).status().unwrap().success());
}

fn find(folder: &std::path::Path, name: &str) -> Option<std::path::PathBuf> {
    for entry in std::fs::read_dir(folder).ok()? {
        let path = entry.ok()?.path();
        if path.file_name()? == name {
            return Some(path);
        }
        if path.is_dir()
            && let Some(found) = find(&path, name)
        {
            return Some(found);
        }
    }
    None
}

#[test]
fn a_clean_stop_and_a_second_start_keep_everything() {
    let folder = Folder::new();
    let shop = System::start(&folder, &[]);
    let placed = shop.order(&shop.product("1.00", 5), 2);
    let (id, users) = (placed.text("/orderId"), shop.ready["users"].clone());
    shop.stop();
    let shop = System::start(&folder, &[]);
    let read = shop.get_after(&placed, &format!("/api/orders/{id}")).expect(200);
    assert_eq!(read.body["orderNumber"], placed.body["orderNumber"]);
    assert_eq!(shop.ready["users"], users);
    shop.stop();
}

#[test]
fn row_0_11_an_order_that_is_not_paid_in_time_expires_and_gives_its_stock_back() {
    let folder = Folder::new();
    let shop = System::start(&folder, &[("OMS_PAYMENT_WINDOW", "1s")]);
    let product = shop.product("1.00", 5);
    let order = shop.order(&product, 2).text("/orderId");
    let path = format!("/api/orders/{order}");
    eventually("the order expires", || (shop.get(&path).body["status"] == "EXPIRED").then_some(()));
    eventually("its stock comes back", || (shop.stock(&product) == [5, 0, 5]).then_some(()));
    shop.delete(&path).expect_problem(409, "NOT_CANCELLABLE");
    // Money that comes now: the stock is still there, so the order lives again.
    let late = shop.pay(&order, "2.00").expect(200);
    assert_eq!(late.body["status"], "CONFIRMED");
    assert_eq!(shop.stock(&product), [5, 2, 3]);
    shop.stop();
}

#[test]
fn an_order_is_completed_when_its_return_window_is_over_and_nothing_is_to_come_back() {
    let folder = Folder::new();
    let shop = System::start(&folder, &[("OMS_RETURN_WINDOW", "2s")]);
    let delivered = || {
        let placed = shop.order(&shop.product("1.00", 5), 2);
        let path = format!("/api/orders/{}", placed.text("/orderId"));
        shop.pay(&placed.text("/orderId"), "2.00").expect(200);
        shop.put(&format!("{path}/status"), &serde_json::json!({"status": "SHIPPED"})).expect(200);
        shop.put(&format!("{path}/status"), &serde_json::json!({"status": "DELIVERED"})).expect(200);
        (path, placed.text("/lines/0/lineId"))
    };
    let ((kept, _), (returned, line)) = (delivered(), delivered());
    let body = serde_json::json!({"lines": [{"lineId": line, "quantity": 1}], "reason": "too small"});
    let announced = shop.post(&format!("{returned}/returns"), &body).expect(201).text("/returnId");
    eventually("the order is complete", || (shop.get(&kept).body["status"] == "COMPLETED").then_some(()));
    assert_eq!(shop.get(&returned).body["waitingFor"], "RETURN", "a return is awaited beyond the window");
    shop.post(&format!("{returned}/returns/{announced}/rejected"), &serde_json::json!({})).expect(200);
    eventually("the other is complete too", || (shop.get(&returned).body["status"] == "COMPLETED").then_some(()));
    shop.stop();
}

#[test]
fn row_0_21_and_0_22_the_service_token_opens_internal_routes_where_it_is_configured() {
    let folder = Folder::new();
    let secret = "a-service-token-of-some-length";
    let shop = System::start(&folder, &[("INTERNAL_SERVICE_TOKEN", secret)]);
    let product = shop.product("1.00", 5);
    let send = |token: &str, path: &str, body: &serde_json::Value| {
        Answer::of(shop.anonymous(Method::POST, path).header("X-Service-Token", token).json(body).send().unwrap())
    };
    let placed = send(secret, "/api/orders", &order_body(&product, 1)).expect(201);
    let payment = serde_json::json!({"paymentId": unique("ch"), "amount": {"amount": "1.00", "currency": "EUR"}});
    let path = format!("/api/orders/{}/payment/completed", placed.text("/orderId"));
    send("a-wrong-token-of-some-length", &path, &payment).expect_problem(401, "INVALID_TOKEN");
    assert_eq!(send(secret, &path, &payment).expect(200).body["status"], "CONFIRMED");
    send(secret, "/api/clients", &serde_json::json!({})).expect_problem(403, "INSUFFICIENT_SCOPE");
    shop.stop();
}
