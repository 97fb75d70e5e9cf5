//! The figures of the system, each measured beside its limit in the same run: what is compared is measured in turns
//! on the same machine and database, so a busy machine slows both sides. It starts what it needs in a folder of its
//! own and removes it; it changes nothing that is there.

mod append;
mod catch_up;
mod client;
mod commands;
mod error;
mod graphql;
mod ground;
mod growth;
mod idle;
mod import;
mod lag;
mod load;
mod lone;
mod machine;
mod measure;
mod place;
mod process;
mod raw;
pub mod reference;
mod report;
mod seed;
mod system;

pub use error::BenchError;
pub use report::{Limit, Report, Row};

use ground::Ground;
use std::path::PathBuf;
use std::time::Duration;

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Commands of three events by 32 callers, beside raw multi-row inserts.
    Append,
    /// One command at a time, beside a raw single-row commit.
    Lone,
    /// POST /api/orders over 32 connections, beside what the raw inserts would allow.
    Place,
    /// How long until an accepted order can be read by GraphQL, beside a commit at the same load.
    Lag,
    /// Read tables from zero and folding only, beside COPY-out of the log.
    CatchUp,
    /// Orders by id over GraphQL, beside a stored document and static JSON.
    GraphQl,
    /// The same with ten thousand, a hundred thousand and a million orders.
    Growth,
    /// A system that nobody uses.
    Idle,
    /// A year of real orders, and verifying them. Needs a file.
    Import,
}

impl Figure {
    /// All of them, in the order in which they are run and told.
    pub const ALL: [Self; 9] = [
        Self::Append,
        Self::Lone,
        Self::Place,
        Self::Lag,
        Self::CatchUp,
        Self::GraphQl,
        Self::Growth,
        Self::Idle,
        Self::Import,
    ];

    /// What the command line and the table call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Lone => "lone",
            Self::Place => "place",
            Self::Lag => "lag",
            Self::CatchUp => "catchup",
            Self::GraphQl => "graphql",
            Self::Growth => "growth",
            Self::Idle => "idle",
            Self::Import => "import",
        }
    }
}

impl std::str::FromStr for Figure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|figure| figure.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no figure `{text}`; there are {names}")
        })
    }
}

/// What to measure, and how long.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long each half of a pair runs.
    pub half: Duration,
    /// How many pairs.
    pub pairs: usize,
    /// How many orders growth goes up to.
    pub orders: usize,
    /// How many orders are caught up with from zero.
    pub catch_up_orders: usize,
    /// How many different orders are read.
    pub read_orders: usize,
    /// The table that is imported, if any.
    pub import: Option<PathBuf>,
    /// Where the data of the run is put, in a folder of its own that is removed at the end.
    pub folder: PathBuf,
}

/// Measures one figure, on an empty database: what one leaves behind must not weigh on the next. Ctrl-C ends it and
/// what it started.
///
/// # Errors
/// [`BenchError`] when something could not be run. A missed limit is none.
pub async fn run(figure: Figure, options: &Options) -> Result<Report, BenchError> {
    let ground = Ground::prepare(&options.folder).await?;
    let measured = tokio::select! {
        rows = Box::pin(measure(figure, options, &ground)) => rows,
        _ = tokio::signal::ctrl_c() => Err(BenchError::Interrupted),
    };
    let machine = machine::describe(&ground).await;
    ground.close().await?;
    let date = web::request_context::now().format("%Y-%m-%d").to_string();
    Ok(Report { machine: machine?, date, rows: measured? })
}

async fn measure(figure: Figure, options: &Options, ground: &Ground) -> Result<Vec<Row>, BenchError> {
    match figure {
        Figure::Append => Box::pin(append::measure(options, ground)).await,
        Figure::Lone => Box::pin(lone::measure(options, ground)).await,
        Figure::Place => Box::pin(place::measure(options, ground)).await,
        Figure::Lag => Box::pin(lag::measure(options, ground)).await,
        Figure::CatchUp => Box::pin(catch_up::measure(options, ground)).await,
        Figure::GraphQl => Box::pin(graphql::measure(options, ground)).await,
        Figure::Growth => Box::pin(growth::measure(options, ground)).await,
        Figure::Idle => Box::pin(idle::measure(ground)).await,
        Figure::Import => match &options.import {
            Some(file) => Box::pin(import::measure(file, ground)).await,
            None => Ok(Vec::new()),
        },
    }
}
