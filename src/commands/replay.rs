//! `oms replay`: asks the running system to build its read tables anew, and shows how far that is until they take over.
//! The work is done by query-service; ending this command ends only the showing.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use pg::Pool;
use query_service::generations::pointer::State;
use query_service::rebuild::{self, Asked, Progress};
use serde_json::{Value, json};

use super::FoundWrong;
use crate::cli::Replay;
use crate::system;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// Between two lines where there is no terminal.
const LINE: Duration = Duration::from_secs(2);
/// What the rate is taken over.
const RATE_OVER: Duration = Duration::from_secs(5);
/// How long the database may be away meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long nobody may be at work before that is said.
const ALONE: Duration = Duration::from_secs(10);

/// Asks, or follows what is running, until the new tables are live.
pub async fn run(options: Replay) -> anyhow::Result<()> {
    let pool = system::database(&options.system).await?.pool(query_service::SCHEMA, None).await?;
    if options.status {
        return status(&pool, options.json).await;
    }
    let client = pool.get().await?;
    let asked = rebuild::ask(&client).await.context("the read tables of the system were not found")?;
    drop(client);
    let generation = match asked {
        Asked::Begun(generation) => generation,
        Asked::Running(generation) => {
            eprintln!("a rebuild is running already (generation {generation}): this follows it");
            generation
        }
        Asked::NothingToRebuild => bail!("there are no read tables yet: start query-service first"),
    };
    follow(&pool, generation, options.json).await
}

async fn status(pool: &Pool, as_json: bool) -> anyhow::Result<()> {
    let client = pool.get().await?;
    let live = rebuild::live(&client).await.context("the read tables of the system were not found")?;
    let building = match rebuild::running(&client).await? {
        Some(generation) => Some(rebuild::progress(&client, generation).await?),
        None => None,
    };
    if as_json {
        let building = building.map(|progress| line(&progress, None));
        println!("{}", json!({ "live": live, "building": building }));
        return Ok(());
    }
    match live {
        Some(live) => println!("generation {live} is live"),
        None => println!("no generation is live yet"),
    }
    match building {
        Some(progress) => println!("generation {} is being built: {}", progress.generation, plain(&progress, None)),
        None => println!("no rebuild is running"),
    }
    Ok(())
}

async fn follow(pool: &Pool, generation: i32, as_json: bool) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut shown = Shown::new(as_json);
    let mut rate = Rate::default();
    let (mut first, mut last_answer, mut last_member) = (None, Instant::now(), Instant::now());
    loop {
        let progress = match look(pool, generation).await {
            Ok(progress) => progress,
            Err(error) if last_answer.elapsed() < PATIENCE => {
                shown.note(&format!("the database does not answer: {error:#}"));
                tokio::time::sleep(LOOK * 5).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        last_answer = Instant::now();
        if progress.members > 0 {
            last_member = Instant::now();
        } else if last_member.elapsed() > ALONE {
            shown.note("nobody is at work: query-service does not run, or cannot");
        }
        if progress.parked > 0 {
            shown.note(&format!(
                "{} streams are parked and have to be retried or skipped first: see `oms projector list query`",
                progress.parked
            ));
        }
        if progress.stopped > 0 {
            shown.note("a partition stands still: see `oms projector list query`");
        }
        let from = *first.get_or_insert(progress.handled);
        let per_second = rate.of(progress.handled);
        match progress.state {
            Some(State::Building) => shown.show(&progress, per_second),
            Some(State::Live) => {
                let elapsed = began.elapsed().as_secs_f64();
                return shown.end(&progress, progress.handled - from, elapsed).map_err(Into::into);
            }
            Some(State::Retired) | None => {
                eprintln!(
                    "generation {generation} was given up: another one was begun by a newer binary, or took over"
                );
                return Err(FoundWrong.into());
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn look(pool: &Pool, generation: i32) -> anyhow::Result<Progress> {
    Ok(rebuild::progress(&*pool.get().await?, generation).await?)
}

/// Events per second, over the last seconds.
#[derive(Default)]
struct Rate(VecDeque<(Instant, i64)>);

impl Rate {
    fn of(&mut self, handled: i64) -> Option<f64> {
        let now = Instant::now();
        self.0.push_back((now, handled));
        while self.0.len() > 2 && self.0[0].0 + RATE_OVER < now {
            self.0.pop_front();
        }
        let (then, before) = self.0[0];
        let seconds = (now - then).as_secs_f64();
        (seconds > 0.0).then(|| (handled - before) as f64 / seconds)
    }
}

/// Where progress is shown: a bar on a terminal, lines elsewhere, JSON lines where a program reads them.
struct Shown {
    as_json: bool,
    bar: Option<ProgressBar>,
    last_line: Option<Instant>,
    last_note: String,
}

impl Shown {
    fn new(as_json: bool) -> Self {
        let bar = (!as_json && io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} events  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { as_json, bar, last_line: None, last_note: String::new() }
    }

    /// Says something once.
    fn note(&mut self, text: &str) {
        if self.last_note == text {
            return;
        }
        text.clone_into(&mut self.last_note);
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    fn show(&mut self, progress: &Progress, rate: Option<f64>) {
        if self.as_json {
            println!("{}", line(progress, rate));
            return;
        }
        if let Some(bar) = &self.bar {
            bar.set_length(progress.wanted.max(progress.handled).unsigned_abs());
            bar.set_position(progress.handled.unsigned_abs());
            bar.set_message(pace(progress, rate));
        } else if self.last_line.is_none_or(|last| last.elapsed() >= LINE) {
            self.last_line = Some(Instant::now());
            eprintln!("{}", plain(progress, rate));
        }
    }

    fn end(&mut self, progress: &Progress, handled: i64, seconds: f64) -> io::Result<()> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let rate = handled as f64 / seconds.max(f64::EPSILON);
        let mut out = io::stdout();
        if self.as_json {
            let mut line = line(progress, Some(rate));
            line["state"] = json!("live");
            line["seconds"] = json!(seconds);
            return writeln!(out, "{line}");
        }
        writeln!(
            out,
            "generation {} is live: {handled} events in {seconds:.1} s ({rate:.0} events/s)",
            progress.generation
        )
    }
}

fn seconds_left(progress: &Progress, rate: Option<f64>) -> Option<f64> {
    rate.filter(|rate| *rate > 0.0).map(|rate| (progress.wanted - progress.handled).max(0) as f64 / rate)
}

fn line(progress: &Progress, rate: Option<f64>) -> Value {
    json!({
        "generation": progress.generation,
        "state": if progress.state == Some(State::Live) { "live" } else { "building" },
        "handled": progress.handled,
        "wanted": progress.wanted,
        "eventsPerSecond": rate.map(f64::round),
        "secondsLeft": seconds_left(progress, rate).map(f64::ceil),
        "parked": progress.parked,
        "stopped": progress.stopped,
        "instances": progress.members,
    })
}

fn plain(progress: &Progress, rate: Option<f64>) -> String {
    let share = if progress.wanted > 0 { 100.0 * progress.handled as f64 / progress.wanted as f64 } else { 100.0 };
    let pace = pace(progress, rate);
    format!("{} of {} events ({:.0} %)  {pace}", progress.handled, progress.wanted, share.min(100.0))
}

fn pace(progress: &Progress, rate: Option<f64>) -> String {
    if progress.handled >= progress.wanted {
        return "everything is read; indexes are made, then it takes over".to_owned();
    }
    match (rate, seconds_left(progress, rate)) {
        (Some(rate), Some(left)) => {
            format!("{rate:.0} events/s, {} left", HumanDuration(Duration::from_secs_f64(left.ceil())))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(handled: i64) -> Progress {
        Progress {
            generation: 2,
            state: Some(State::Building),
            handled,
            wanted: 1_000,
            members: 1,
            parked: 0,
            stopped: 0,
        }
    }

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long() {
        assert_eq!(plain(&at(250), Some(50.0)), "250 of 1000 events (25 %)  50 events/s, 15 seconds left");
        assert!(plain(&at(1_000), Some(0.0)).contains("indexes"));
        assert_eq!(plain(&at(0), None), "0 of 1000 events (0 %)  ");
        assert_eq!(line(&at(500), Some(100.0))["secondsLeft"], 5.0);
    }
}
