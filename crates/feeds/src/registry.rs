//! Logs by name: a service publishes its own, another subscribes by name and gets the log itself when it is in this
//! process, or its feed over HTTP where a URL is configured. The order of the two does not matter.

use crate::feed::{Feed, HeadWatch, Heads, HttpFeed, Recent, run_head_watch};
use eventstore::{EventLog, Spawner};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::timeout};

const PATIENCE_BEFORE_WARNING: Duration = Duration::from_secs(10);

/// Where the log of a service in another process is.
#[derive(Clone)]
pub struct RemoteLog {
    /// The service's URL, such as `http://127.0.0.1:8081`.
    pub base_url: String,
    /// What opens its internal routes.
    pub service_token: String,
}

/// The logs that this process knows of. Cloning it is cheap; all clones are one registry.
#[derive(Clone)]
pub struct FeedRegistry {
    slots: Arc<Mutex<HashMap<String, Arc<Slot>>>>,
    spawner: Spawner,
}

#[derive(Default)]
struct Slot {
    feed: watch::Sender<Option<Feed>>,
    heads: watch::Sender<Option<Heads>>,
    recent: Recent,
    watched: Mutex<bool>,
}

/// A log asked for by name; it may not be there yet.
#[derive(Clone)]
pub struct Subscription {
    name: Arc<str>,
    slot: Arc<Slot>,
    spawner: Spawner,
}

impl FeedRegistry {
    /// A registry that knows no log; the looks at heads run on `spawner`.
    #[must_use]
    pub fn new(spawner: Spawner) -> Self {
        Self { slots: Arc::default(), spawner }
    }

    /// Offers the log to this process under its name. It goes before a remote one.
    pub fn publish(&self, log: EventLog) {
        let slot = self.slot(log.name());
        slot.feed.send_replace(Some(Feed::Log(log)));
    }

    /// Names the service that owns a log, for processes where that service does not run.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up on this machine.
    pub fn add_remote(&self, name: &str, remote: &RemoteLog) -> Result<(), reqwest::Error> {
        let feed = HttpFeed::new(&remote.base_url, name, &remote.service_token)?;
        self.slot(name).feed.send_if_modified(|current| {
            let news = !matches!(current, Some(Feed::Log(_)));
            if news {
                *current = Some(Feed::Http(feed));
            }
            news
        });
        Ok(())
    }

    /// The log with this name, now or once it is there.
    #[must_use]
    pub fn subscribe(&self, name: &str) -> Subscription {
        Subscription { name: name.into(), slot: self.slot(name), spawner: self.spawner.clone() }
    }

    fn slot(&self, name: &str) -> Arc<Slot> {
        Arc::clone(locked(&self.slots).entry(name.to_owned()).or_default())
    }
}

impl Subscription {
    /// The log's name.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The feed, if the log is there by now.
    #[must_use]
    pub fn get(&self) -> Option<Feed> {
        self.slot.feed.borrow().clone()
    }

    /// The feed, once the log is there.
    pub async fn feed(&self) -> Feed {
        let mut feeds = self.slot.feed.subscribe();
        loop {
            if let Ok(Ok(feed)) = timeout(PATIENCE_BEFORE_WARNING, feeds.wait_for(Option::is_some)).await
                && let Some(feed) = feed.clone()
            {
                return feed;
            }
            tracing::warn!(log = &*self.name, "nobody has published this log yet and no URL is configured for it");
        }
    }

    /// The heads of the log, kept up to date by one look for all readers of this process.
    pub(crate) fn heads(&self) -> HeadWatch {
        let mut watched = locked(&self.slot.watched);
        if !*watched {
            *watched = true;
            let (subscription, stop) = (self.clone(), self.spawner.stop().clone());
            self.spawner.spawn(async move {
                if let Some(feed) = stop.run_until_cancelled(subscription.feed()).await {
                    let Slot { heads, recent, .. } = &*subscription.slot;
                    run_head_watch(&subscription.name, &feed, heads, recent, &stop).await;
                }
            });
        }
        self.slot.heads.subscribe()
    }

    /// What the last looks at the heads brought along.
    pub(crate) fn recent(&self) -> &Recent {
        &self.slot.recent
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
