//! Damaging a copy of a database, and what `oms verify` says to it.

use super::shop::runtime;
use serde_json::Value;
use std::{collections::BTreeSet, process::Command};
use tokio_postgres::NoTls;

/// A database of its own.
pub struct Copy {
    server: String,
    name: String,
}

impl Copy {
    pub fn new(server: &str, name: String) -> Self {
        Self { server: server.to_owned(), name }
    }

    /// Makes it as the template is.
    pub fn create(&self, template: &str) {
        statement(&format!("{}/postgres", self.server), &format!("create database {} template {template}", self.name));
    }

    pub fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    /// Runs statements as the superuser, past the triggers that protect events.
    pub fn run(&self, statements: &str) {
        statement(&self.url(), statements);
    }

    /// The number that a query answers.
    pub fn number(&self, query: &str) -> i64 {
        runtime().block_on(async {
            let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await.unwrap();
            tokio::select! {
                row = client.query_one(query, &[]) => row.unwrap().get(0),
                _ = connection => unreachable!("the connection ends with its client"),
            }
        })
    }

    pub fn verify(&self) -> Verified {
        verify_url(&self.url())
    }

    /// What people get.
    pub fn verify_as_text(&self) -> (i32, String) {
        let output = verify_command(&self.url()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        statement(&format!("{}/postgres", self.server), &format!("drop database if exists {} with (force)", self.name));
    }
}

/// Runs statements on a database.
pub fn statement(url: &str, statements: &str) {
    runtime().block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::select! {
            done = client.batch_execute(statements) => done.unwrap_or_else(|error| panic!("{statements}: {error:?}")),
            _ = connection => unreachable!("the connection ends with its client"),
        }
    });
}

/// Damages a copy of the shop and expects exactly these checks to fail, one of them with an example that has these words.
#[track_caller]
pub fn damage(statements: &str, expected: &[&str], words: &str) {
    let shop = super::shop::copy();
    shop.run(statements);
    let verified = shop.verify();
    assert_eq!(verified.code, 1, "{statements} was not found: {:#}", verified.report);
    let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(verified.wrong(), expected, "{statements}: {:#?}", verified.examples());
    let examples = verified.examples();
    assert!(examples.iter().any(|example| example.contains(words)), "{words} is not in {examples:#?}");
}

fn verify_command(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oms"));
    command.arg("verify").env("DATABASE_URL", url);
    command
}

/// Runs `oms verify --json` on a database.
pub fn verify_url(url: &str) -> Verified {
    let output = verify_command(url).arg("--json").output().unwrap();
    let code = output.status.code().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    Verified { code, report, complaint: String::from_utf8_lossy(&output.stderr).into_owned() }
}

/// What it said.
pub struct Verified {
    pub code: i32,
    report: Value,
    complaint: String,
}

impl Verified {
    #[track_caller]
    pub fn expect_clean(&self) {
        assert_eq!(self.code, 0, "{}\n{:#?}", self.complaint, self.examples());
        assert!(self.wrong().is_empty());
    }

    fn each(&self) -> impl Iterator<Item = &Value> {
        self.report["checks"].as_array().into_iter().flatten()
    }

    fn check(&self, name: &str) -> &Value {
        self.each().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {:#}", self.report))
    }

    pub fn checks(&self) -> Vec<String> {
        self.each().map(|check| check["name"].as_str().unwrap().to_owned()).collect()
    }

    pub fn counted(&self, name: &str) -> u64 {
        self.check(name)["counted"].as_u64().unwrap()
    }

    pub fn notes(&self, name: &str) -> Vec<Value> {
        self.check(name)["notes"].as_array().unwrap().clone()
    }

    pub fn missing(&self) -> Vec<String> {
        let missing = self.report["missing"].as_array().unwrap();
        missing.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    fn wrong(&self) -> BTreeSet<String> {
        let wrong = self.each().filter(|check| check["wrong"] != 0);
        wrong.map(|check| check["name"].as_str().unwrap().to_owned()).collect()
    }

    fn examples(&self) -> Vec<String> {
        let examples = self.each().flat_map(|check| {
            let name = check["name"].as_str().unwrap();
            let examples = check["examples"].as_array().unwrap();
            examples.iter().map(move |example| format!("{name}: {}", example.as_str().unwrap()))
        });
        examples.collect()
    }
}
