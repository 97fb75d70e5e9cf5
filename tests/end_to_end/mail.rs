//! Row 1.18: customers are written to. The server is a real one, aiosmtpd from PyPI, installed as the standard clients
//! are; where it cannot be had the tests say so and pass, unless `CI` is set.

use crate::{
    standard_clients::{cache, possible, run},
    system::{Answer, Folder, System, eventually, order_body},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

const AIOSMTPD: &str = "aiosmtpd==1.4.6";

/// A mail server on a free port. It ends when its standard input does.
struct MailServer {
    child: Child,
    url: String,
    mails: PathBuf,
}

impl MailServer {
    fn start(folder: &Folder) -> Option<Self> {
        let cache = cache("aiosmtpd");
        let python = cache.join("venv").join("bin").join("python");
        let there = run(&python, &["-c", "import aiosmtpd"], &cache).is_ok();
        let install = ["-m", "pip", "install", "--quiet", AIOSMTPD];
        let prepare = || run("python3", &["-m", "venv", "venv"], &cache).and_then(|_| run(&python, &install, &cache));
        if !there && !possible(prepare()) {
            return None;
        }
        let script = folder.path().join("smtp_server.py");
        fs::write(&script, include_str!("../clients/smtp_server.py")).unwrap();
        let (port, mails) = (folder.path().join("smtp-port"), folder.path().join("mails"));
        let child = Command::new(&python).arg(&script).args([&port, &mails]).stdin(Stdio::piped()).spawn().unwrap();
        let port = eventually("the mail server listens", || fs::read_to_string(&port).ok());
        Some(Self { child, url: format!("smtp://127.0.0.1:{port}"), mails })
    }

    fn mails_to(&self, address: &str) -> Vec<Value> {
        let text = fs::read_to_string(&self.mails).unwrap_or_default();
        let mails = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        mails.filter(|mail| mail["to"][0] == address).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn order_for(shop: &System, email: &str) -> (String, String) {
    let mut body = order_body(&shop.product("12.50", 10), 2);
    body["contact"]["email"] = json!(email);
    let placed = shop.post("/api/orders", &body).expect(201);
    (placed.text("/orderId"), placed.text("/orderNumber"))
}

#[test]
#[ignore = "run ./oms test"]
fn row_1_18_a_confirmation_comes_then_what_becomes_of_the_order_and_nothing_twice() {
    let folder = Folder::new();
    let Some(server) = MailServer::start(&folder) else { return };
    let settings = [
        ("SMTP_URL", server.url.as_str()),
        ("OMS_MAIL_FROM", "The shop <mail@shop.example.org>"),
        ("OMS_MAIL_RETRY", "0s"),
    ];
    let shop = System::start(&folder, &settings);
    let (order, number) = order_for(&shop, "ada@example.org");
    let mails = eventually("the confirmation comes", || {
        Some(server.mails_to("ada@example.org")).filter(|mails| !mails.is_empty())
    });
    let confirmation = &mails[0];
    assert_eq!(
        (&confirmation["from"], &confirmation["subject"]),
        (&json!("mail@shop.example.org"), &json!(format!("Your order {number}")))
    );
    for body in ["text", "html"] {
        for words in [number.as_str(), "White hanging heart T-light holder", "25.00 EUR", "Ada Lovelace"] {
            assert!(confirmation[body].as_str().unwrap().contains(words), "{words}: {confirmation}");
        }
    }
    let id = confirmation["messageId"].as_str().unwrap();
    assert!(id.starts_with("<ntf_") && id.ends_with("@shop.example.org>"), "{id}");

    // A restart sends nothing again.
    shop.stop();
    let shop = System::start(&folder, &settings);
    shop.pay(&order, "25.00").expect(200);
    shop.put(&format!("/api/orders/{order}/status"), &json!({"status": "SHIPPED"})).expect(200);
    let mails =
        eventually("the parcel is told", || Some(server.mails_to("ada@example.org")).filter(|mails| mails.len() > 1));
    assert_eq!(mails.len(), 2, "{mails:?}");
    assert!(mails[1]["subject"].as_str().unwrap().starts_with("On its way"));

    // Refused for good, and put off once: the one is given up, the other comes.
    order_for(&shop, "reject@example.org");
    order_for(&shop, "later@example.org");
    eventually("what was put off comes", || (server.mails_to("later@example.org").len() == 1).then_some(()));
    assert!(server.mails_to("reject@example.org").is_empty());
    shop.stop();
    let log = fs::read_to_string(folder.path().join("oms.log")).unwrap();
    assert!(!log.contains("@example.org"), "no address is logged");
}

fn code_in(mail: &Value) -> String {
    let text = mail["text"].as_str().unwrap();
    text.lines()
        .find(|line| line.len() > 40 && !line.contains(' '))
        .unwrap_or_else(|| panic!("no code: {text}"))
        .to_owned()
}

#[test]
#[ignore = "run ./oms test"]
fn an_address_is_verified_and_a_forgotten_password_replaced_by_codes_that_are_mailed() {
    let folder = Folder::new();
    let Some(server) = MailServer::start(&folder) else { return };
    let shop = System::start(&folder, &[("SMTP_URL", server.url.as_str())]);
    let anonymous =
        |path: &str, body: &Value| Answer::of(shop.anonymous(Method::POST, path).json(body).send().unwrap());
    let customer = shop.customer();
    let next = |count: usize| eventually("a mail comes", || server.mails_to(&customer.email).get(count).cloned());
    let code = code_in(&next(0));
    anonymous("/auth/verify-email", &json!({"code": code})).expect(200);
    anonymous("/auth/verify-email", &json!({"code": code})).expect_problem(422, "VALIDATION_FAILED");
    let known = shop.get_as(&customer.token, "/oauth/userinfo").expect(200);
    assert_eq!(known.body["email_verified"], true);

    anonymous("/auth/password/forgot", &json!({"email": "nobody@example.org"})).expect(202);
    anonymous("/auth/password/forgot", &json!({"email": customer.email})).expect(202);
    let code = code_in(&next(1));
    let password = "another horse battery staple";
    anonymous("/auth/password/reset", &json!({"code": code, "password": password})).expect(200);
    anonymous("/auth/password/reset", &json!({"code": code, "password": password}))
        .expect_problem(422, "VALIDATION_FAILED");
    anonymous("/auth/login", &json!({"email": customer.email, "password": password})).expect(200);
    eventually("the old token is refused", || {
        (shop.get_as(&customer.token, "/oauth/userinfo").status == 401).then_some(())
    });
    shop.stop();
}
