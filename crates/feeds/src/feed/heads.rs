//! One look at all heads of a log for all its readers in this process: one query per commit or per 250 ms, however
//! many readers there are. What is new in a log of this process it brings along for them.

use super::{Feed, FeedError, Heads, POLL, Recent, recent::KEPT_EVENTS};
use crate::error::chain;
use eventstore::EventLog;
use std::time::Duration;
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// Commits that ring faster than this share a look.
const CLOSEST_LOOKS: Duration = Duration::from_millis(4);
const LONG_POLL: Duration = Duration::from_secs(15);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The heads as last seen; none before the first look.
pub(crate) type HeadWatch = watch::Receiver<Option<Heads>>;

/// Looks at the heads until told to stop.
pub(crate) async fn run_head_watch(
    name: &str,
    feed: &Feed,
    seen: &watch::Sender<Option<Heads>>,
    recent: &Recent,
    stop: &CancellationToken,
) {
    let watching = async {
        match feed {
            Feed::Log(log) => watch_log(name, log, seen, recent).await,
            Feed::Http(http) => {
                let mut pause = SHORTEST_PAUSE;
                loop {
                    let known = seen.borrow().clone();
                    match http.heads(known.as_ref(), LONG_POLL).await {
                        Ok(heads) => {
                            // A server that does not wait must not be asked without a pause.
                            if Some(&heads) == known.as_ref() {
                                sleep(SHORTEST_PAUSE).await;
                            }
                            publish(seen, heads);
                            pause = SHORTEST_PAUSE;
                        }
                        Err(error) => {
                            complain(name, &error, pause == SHORTEST_PAUSE);
                            sleep(pause).await;
                            pause = (pause * 2).min(LONGEST_PAUSE);
                        }
                    }
                }
            }
        }
    };
    stop.run_until_cancelled(watching).await;
}

async fn watch_log(name: &str, log: &EventLog, seen: &watch::Sender<Option<Heads>>, recent: &Recent) {
    let mut wake = log.subscribe();
    let mut pause = POLL;
    loop {
        let looked_at = Instant::now();
        let known = seen.borrow().clone();
        match look(log, known.as_ref(), recent).await {
            Ok(heads) => {
                publish(seen, heads);
                pause = POLL;
            }
            Err(error) => {
                complain(name, &error, pause == POLL);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        if let Ok(Err(_closed)) = timeout(pause, wake.changed()).await {
            sleep(pause).await;
        }
        sleep_until(looked_at + CLOSEST_LOOKS).await;
    }
}

/// The heads; what came after the known ones is in `recent` before anybody hears of it.
async fn look(log: &EventLog, known: Option<&Heads>, recent: &Recent) -> Result<Heads, FeedError> {
    let Some(known) = known else { return super::heads_of(log).await };
    let news = log.news(&known.positions, KEPT_EVENTS).await.map_err(FeedError::Log)?;
    recent.take_in(news.heads.epoch, news.events);
    Ok(news.heads.into())
}

fn publish(seen: &watch::Sender<Option<Heads>>, heads: Heads) {
    seen.send_if_modified(|current| {
        let news = current.as_ref() != Some(&heads);
        if news {
            *current = Some(heads);
        }
        news
    });
}

/// Loudly the first time, quietly while it lasts.
fn complain(name: &str, error: &FeedError, first: bool) {
    let error = chain(error);
    if first {
        tracing::warn!(log = name, error, "the heads of a log cannot be read");
    } else {
        tracing::debug!(log = name, error, "the heads of a log still cannot be read");
    }
}
