//! How files look: their length, their opening sentences, and the few constructs that have one home or none.

use crate::tree::{SourceFile, assert_none, rust_files};

const LONGEST_FILE: usize = 500;
const LONGEST_MAIN: usize = 40;
const LONGEST_SERVICE_MAIN: usize = 10;

#[test]
fn no_file_is_longer_than_500_lines_without_its_tests() {
    complain(|file| {
        let lines = file.without_tests().lines().count();
        (!file.is_test_file() && lines > LONGEST_FILE).then(|| format!("{lines} lines; split it below {LONGEST_FILE}"))
    });
}

#[test]
fn a_main_only_starts_things() {
    complain(|file| {
        let longest = match file.path.as_str() {
            "src/main.rs" => LONGEST_MAIN,
            path if path.ends_with("-service/src/main.rs") => LONGEST_SERVICE_MAIN,
            _ => return None,
        };
        let lines = file.text.lines().filter(|line| !line.starts_with("//")).count();
        (lines > longest).then(|| format!("{lines} lines; a main has at most {longest}"))
    });
}

#[test]
fn a_module_opens_with_what_it_is_for() {
    complain(|file| {
        let opens = file.is_test_file() || file.text.starts_with("//!");
        (!opens).then(|| "open with one to four sentences (//!)".to_owned())
    });
}

#[test]
fn modules_are_files_beside_their_folder() {
    complain(|file| file.path.ends_with("/mod.rs").then(|| "name it after the folder, beside it".to_owned()));
}

#[test]
fn tests_await_conditions_instead_of_sleeping() {
    complain(|file| {
        // Looking again and again needs one pause, paused time does not pass, and this rule names what it forbids.
        let exempt = file.path.starts_with("crates/test-support/src/")
            || file.path.starts_with("tests/tidy/")
            || file.tests_only().contains("start_paused");
        let pauses = file.tests_only().matches("sleep(").count();
        let allowed_pauses = file.tests_only().matches("fn eventually").count();
        (!exempt && pauses > allowed_pauses)
            .then(|| "a test that sleeps is slow or wrong; await a condition (test_support::eventually)".to_owned())
    });
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    let allowed = [concat!("#[", "allow("), concat!("#![", "allow(")];
    complain(|file| {
        let allows = allowed.iter().any(|attribute| file.text.contains(attribute));
        allows.then(|| "use #[expect(lint, reason = \"…\")]".to_owned())
    });
}

fn complain(rule: impl Fn(&SourceFile) -> Option<String>) {
    let complaints: Vec<String> =
        rust_files().iter().filter_map(|file| Some(format!("{}: {}", file.path, rule(file)?))).collect();
    assert_none(&complaints);
}

/// Who may look at a payload as it was stored: the upcasts themselves, the wire that carries it on, and a history that
/// shows types it does not know.
const READS_STORED_PAYLOADS: &[&str] =
    &["shared-events/src/", "crates/feeds/src/feed/wire.rs", "query-service/src/history.rs"];

#[test]
fn payloads_are_read_in_their_current_shape() {
    complain(|file| {
        let exempt = file.is_test_file() || READS_STORED_PAYLOADS.iter().any(|path| file.path.starts_with(path));
        let parses = |line: &str| line.contains("from_slice") && line.contains(".payload");
        (!exempt && file.without_tests().lines().any(parses)).then(|| {
            "a stored payload may be of an old version: read it with open_event or RecordedEvent::fields".to_owned()
        })
    });
}
