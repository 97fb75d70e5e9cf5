//! The whole system in one binary: puts the five services together, and the commands that start or work on a system.
//! It owns no behaviour of any service; what a request does stands in the service that has its route.

pub mod cli;
mod commands;
pub mod compose;
pub mod config;
mod credentials;
mod demo;
mod demo_catalogue;
mod embedded;
mod import;
mod latencies;
mod opening;
mod private_file;
mod prove;
mod random;
mod ready_file;
mod system;
mod verify;

use std::process::ExitCode;

use clap::Parser;

const FOUND_WRONG: u8 = 1;
const COULD_NOT_RUN: u8 = 2;

/// Reads the command line and does what it says. 0: done, 1: something wrong was found, 2: it could not run.
pub fn run() -> ExitCode {
    let cli = cli::Cli::parse();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(commands::run(cli)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<commands::FoundWrong>() => ExitCode::from(FOUND_WRONG),
        Err(error) => {
            eprintln!("oms: {error:#}");
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}
