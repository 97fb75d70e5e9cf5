//! The internal routes by which the owner of a log publishes it: heads, pages of a partition, and streams.

use crate::{Lifecycle, Worker, unavailable_or_internal};
use axum::Json;
use axum::extract::State;
use eventstore::EventLog;
use feeds::feed::wire::{HeadsBody, PageBody, ServeError, StreamBody, serve_heads, serve_page, serve_stream};
use pg::Database;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;
use web::{Access, Doc, PathParams, Problem, QueryParams, Routes, Scope};

const PAGE: usize = 200;
/// A stream answers all of it unless asked otherwise; orders have far fewer events.
const STREAM: usize = 1_000;

/// Where to go on, and how to wait for more.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FeedParams {
    /// The position or version after which to begin.
    #[serde(default)]
    after: i64,
    /// At most this many events.
    limit: Option<usize>,
    /// How long to wait when there is nothing new, such as `20s` or `500ms`; not at all unless set.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    wait: Wait,
    /// For heads: the sum of the positions that are known.
    known: Option<i64>,
}

#[derive(Debug, Default)]
struct Wait(Duration);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let bare_seconds = text.parse().map(Duration::from_secs);
        let wait = bare_seconds.or_else(|_| crate::settings::parse_duration(&text));
        wait.map(Self).map_err(serde::de::Error::custom)
    }
}

/// What the routes answer from.
#[derive(Clone)]
struct Published {
    log: EventLog,
    /// Nobody waits any longer for news once the process stops.
    draining: CancellationToken,
}

/// Hears of the commits that other instances of the service make to its log, on a connection of its own. Without it
/// they are found by looking, a quarter of a second later.
#[must_use]
pub fn bell_worker(name: &'static str, log: EventLog, database: Database) -> Worker {
    Worker::once(name, move |stop| feeds::feed::listen(log, database, stop))
}

/// The routes of a log: `GET /internal/feeds/{log}`, `…/{partition}` and `…/streams/{streamId}`.
#[must_use]
pub fn feed_routes(log: EventLog, lifecycle: &Lifecycle) -> Routes<()> {
    let base = format!("/internal/feeds/{}", log.name());
    let access = Access::Internal(Scope::EventsRead);
    let doc = |summary| Doc::new(summary).query::<FeedParams>().answers_raw(200, "application/json");
    Routes::new("feeds")
        .get(base.clone(), access, doc("The last position of every partition"), heads)
        .get(format!("{base}/{{partition}}"), access, doc("Events of a partition in order"), page)
        .get(format!("{base}/streams/{{streamId}}"), access, doc("Events of a stream in order"), stream)
        .with_state(Published { log, draining: lifecycle.draining().clone() })
}

async fn heads(
    State(Published { log, draining }): State<Published>,
    QueryParams(params): QueryParams<FeedParams>,
) -> Result<Json<HeadsBody>, Problem> {
    let waited = draining.run_until_cancelled(serve_heads(&log, params.known, params.wait.0)).await;
    let heads = match waited {
        Some(heads) => heads,
        None => serve_heads(&log, params.known, Duration::ZERO).await,
    };
    heads.map(Json).map_err(|error| problem(&error))
}

async fn page(
    State(Published { log, draining }): State<Published>,
    path: PathParams,
    QueryParams(params): QueryParams<FeedParams>,
) -> Result<Json<PageBody>, Problem> {
    let partition: i32 = path.id("partition")?;
    if !(0..log.partitions()).contains(&partition) {
        return Err(Problem::not_found(format!("the log has no partition {partition}")));
    }
    let limit = params.limit.unwrap_or(PAGE);
    let waited = draining.run_until_cancelled(serve_page(&log, partition, params.after, limit, params.wait.0)).await;
    let page = match waited {
        Some(page) => page,
        None => serve_page(&log, partition, params.after, limit, Duration::ZERO).await,
    };
    page.map(Json).map_err(|error| problem(&error))
}

async fn stream(
    State(Published { log, .. }): State<Published>,
    path: PathParams,
    QueryParams(params): QueryParams<FeedParams>,
) -> Result<Json<StreamBody>, Problem> {
    let stream = serve_stream(&log, path.get("streamId"), params.after, params.limit.unwrap_or(STREAM)).await;
    stream.map(Json).map_err(|error| problem(&error))
}

fn problem(error: &ServeError) -> Problem {
    let unavailable = matches!(error, ServeError::Read(read) if read.is_unavailable());
    unavailable_or_internal(error, unavailable)
}
