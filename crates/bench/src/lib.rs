//! The figures of the system, each measured beside its limit in the same run: what is compared is measured in turns
//! on the same machine and database, so a busy machine slows both sides. It starts what it needs in a folder of its
//! own and removes it; it changes nothing that is there.

mod append;
mod commands;
mod error;
mod ground;
mod lone;
mod machine;
mod measure;
mod raw;
mod report;

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
}

impl Figure {
    /// All of them, in the order in which they are run and told.
    pub const ALL: [Self; 2] = [Self::Append, Self::Lone];

    /// What the command line and the table call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Lone => "lone",
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
    /// The figures; at least one.
    pub figures: Vec<Figure>,
    /// How long each half of a pair runs.
    pub half: Duration,
    /// How many pairs.
    pub pairs: usize,
    /// Where the data of the run is put, in a folder of its own that is removed at the end.
    pub folder: PathBuf,
}

/// Measures, and tells each figure as soon as it is known.
///
/// # Errors
/// [`BenchError`] when something could not be run. A missed limit is none.
pub async fn run(options: &Options, mut tell: impl FnMut(&str)) -> Result<Report, BenchError> {
    let ground = Ground::prepare(&options.folder).await?;
    let measured = measure(options, &ground, &mut tell).await;
    let closed = ground.close().await;
    let report = measured?;
    closed?;
    Ok(report)
}

async fn measure(options: &Options, ground: &Ground, tell: &mut impl FnMut(&str)) -> Result<Report, BenchError> {
    let mut rows = Vec::new();
    for figure in Figure::ALL.into_iter().filter(|figure| options.figures.contains(figure)) {
        tell(figure.name());
        rows.extend(match figure {
            Figure::Append => Box::pin(append::measure(options, ground)).await?,
            Figure::Lone => Box::pin(lone::measure(options, ground)).await?,
        });
    }
    Ok(Report {
        machine: machine::describe(ground).await?,
        date: web::request_context::now().format("%Y-%m-%d").to_string(),
        rows,
    })
}
