//! One file for each word of the command line. Data goes to standard output, everything else to standard error.

mod bench;
mod client;
mod config;
mod demo;
mod events;
mod export;
mod import;
mod keys;
mod order;
mod projector;
mod prove;
mod replay;
mod role;
mod serve;
mod up;
mod user;
mod verify;

use crate::cli::{Cli, Command, Up};

/// Does what the command line says; without a word, `up`.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command.unwrap_or_else(|| Command::Up(Up::default())) {
        Command::Up(options) => up::run(options).await,
        Command::Serve(options) => serve::run(options).await,
        Command::Config => config::run(),
        Command::Client(command) => client::run(command).await,
        Command::User(command) => user::run(command).await,
        Command::Role(command) => role::run(command).await,
        Command::Keys(command) => keys::run(command).await,
        Command::Replay(options) => replay::run(options).await,
        Command::Projector(command) => projector::run(command).await,
        Command::Import(command) => import::run(command).await,
        Command::Export(command) => export::run(command).await,
        Command::Bench(options) => Box::pin(bench::run(options)).await,
        Command::Verify(options) => verify::run(options).await,
        Command::Demo(options) => Box::pin(demo::run(options)).await,
        Command::Prove(command) => Box::pin(prove::run(command)).await,
        Command::Events(command) => events::run(command).await,
        Command::Order(command) => order::run(command).await,
    }
}

/// How a command ends that did its work and found something wrong, of which it has told already: with exit code 1.
#[derive(Debug)]
pub struct FoundWrong;

impl std::fmt::Display for FoundWrong {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("something wrong was found")
    }
}

impl std::error::Error for FoundWrong {}
