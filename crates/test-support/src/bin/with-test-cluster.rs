//! Runs a command, such as `cargo test`, with one test server for all the processes it starts.

use std::process::{Command, ExitCode};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let Some(program) = words.next() else {
        eprintln!("usage: with-test-cluster COMMAND [ARGUMENT]...");
        return ExitCode::from(2);
    };
    let url = test_support::cluster_url().await;
    match Command::new(&program).args(words).env("OMS_TEST_DATABASE_URL", url).status() {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(error) => {
            eprintln!("cannot run {program}: {error}");
            ExitCode::from(2)
        }
    }
}
