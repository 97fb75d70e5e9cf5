//! Which crate may depend on which. Arrows run one way; a crate that is not named here fails.

use crate::tree::{assert_none, manifests, rust_files};

const LEAVES: &[&str] = &[];
const BELOW_FEEDS: &[&str] = &["eventstore", "shared-events", "pg"];
const BELOW_SERVICE: &[&str] = &["web", "pg", "feeds", "eventstore", "shared-events"];
const BELOW_THE_SERVICES: &[&str] = &["service", "mail", "web", "pg", "feeds", "eventstore", "shared-events", "order"];
const EVERYTHING: &[&str] = &[
    "shared-events",
    "pg",
    "web",
    "order",
    "eventstore",
    "feeds",
    "service",
    "mail",
    "command-service",
    "inventory-service",
    "invoice-service",
    "query-service",
    "auth-service",
    "bench",
];

const ALLOWED: &[(&str, &[&str])] = &[
    ("shared-events", LEAVES),
    ("pg", LEAVES),
    ("web", LEAVES),
    ("mail", LEAVES),
    ("order", &["shared-events"]),
    ("eventstore", &["shared-events", "pg"]),
    ("feeds", BELOW_FEEDS),
    ("service", BELOW_SERVICE),
    ("command-service", BELOW_THE_SERVICES),
    ("inventory-service", BELOW_THE_SERVICES),
    ("invoice-service", BELOW_THE_SERVICES),
    ("query-service", BELOW_THE_SERVICES),
    ("auth-service", BELOW_THE_SERVICES),
    ("test-support", &["pg", "web"]),
    ("bench", &["query-service", "eventstore", "order", "shared-events", "pg", "web"]),
    ("oms", EVERYTHING),
];

/// Tests may use what tests share, but not reach across the arrows either.
const FOR_TESTS: &str = "test-support";

/// Crates that only one of ours may name, so that the choice can be changed in one place.
const ONE_HOME: &[(&str, &[&str])] =
    &[("anyhow", &["oms"]), ("rdkafka", &["feeds"]), ("async-graphql", &["query-service"]), ("lettre", &["mail"])];

/// What a pure crate may use: values and their serialised forms, nothing that can touch the world.
const PURE_CRATES: &[&str] = &["order", "shared-events"];
const FORBIDDEN_IN_PURE: &[&str] =
    &["tokio", "axum", "http", "reqwest", "tokio-postgres", "deadpool-postgres", "tower", "hyper", "web", "pg"];

#[test]
fn arrows_between_crates_run_one_way() {
    for (folder, manifest) in manifests() {
        let Some(name) = package_name(&manifest) else { continue };
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("the crate {name} in {folder} has no place among the arrows: give it one here"));
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for dependency in dependencies(&manifest, table) {
                let is_ours = ALLOWED.iter().any(|(known, _)| *known == dependency);
                let for_tests = table == "dev-dependencies" && dependency == FOR_TESTS;
                assert!(
                    !is_ours || for_tests || allowed.contains(&dependency.as_str()),
                    "{folder}/Cargo.toml: {name} must not depend on {dependency}; it may on {allowed:?}"
                );
            }
        }
    }
}

#[test]
fn a_crate_with_one_home_is_named_nowhere_else() {
    for (folder, manifest) in manifests() {
        let Some(name) = package_name(&manifest) else { continue };
        for dependency in dependencies(&manifest, "dependencies") {
            if let Some((_, homes)) = ONE_HOME.iter().find(|(limited, _)| *limited == dependency) {
                assert!(homes.contains(&name.as_str()), "{folder}/Cargo.toml: {dependency} belongs to {homes:?} only");
            }
        }
    }
}

#[test]
fn the_domain_knows_no_http_and_no_io() {
    for (folder, manifest) in manifests() {
        let Some(name) = package_name(&manifest) else { continue };
        if PURE_CRATES.contains(&name.as_str()) {
            for dependency in dependencies(&manifest, "dependencies") {
                assert!(
                    !FORBIDDEN_IN_PURE.contains(&dependency.as_str()),
                    "{folder}/Cargo.toml: {name} is pure and must not use {dependency}"
                );
            }
        }
    }
    let mut complaints = Vec::new();
    for file in rust_files() {
        let is_domain = file.path.contains("/src/domain") || file.path.starts_with("crates/order/src");
        if is_domain {
            for word in ["axum::", "http::", "StatusCode", "web::", "Problem::", "tokio_postgres::", "pg::"] {
                for (number, line) in file.without_tests().lines().enumerate() {
                    if !line.trim_start().starts_with("//") && contains_path(line, word) {
                        let (path, number) = (&file.path, number + 1);
                        complaints.push(format!("{path}:{number}: the domain knows no HTTP and no database ({word})"));
                    }
                }
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn deciding_reads_no_clock_and_makes_no_ids() {
    for file in rust_files() {
        if file.path.starts_with("crates/order/src") {
            for word in ["Utc::now", "generate()", "now_v7", "new_v4", "rand::", "SystemTime", "Instant::now"] {
                assert!(
                    !file.without_tests().contains(word),
                    "{}: now and new ids arrive in the command; {word} is not for the domain",
                    file.path
                );
            }
        }
    }
}

fn package_name(manifest: &toml::Table) -> Option<String> {
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

fn dependencies(manifest: &toml::Table, table: &str) -> Vec<String> {
    manifest.get(table).and_then(toml::Value::as_table).map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

/// Whether the line names the path itself, not one that merely ends like it.
fn contains_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        !line[..start].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
    })
}
