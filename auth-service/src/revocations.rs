//! What has been taken back before it expired: single access tokens and whole sessions. Services follow the list by
//! position; positions come in the order of commit, so a follower never misses one.

use crate::store::{self, StoreError};
use pg::Pool;
use pg::deadpool_postgres::{GenericClient, Transaction};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use web::auth::{Revocation, RevocationKind, RevocationPage, Revocations};

/// How long a revocation is kept: until the last access token it concerns has expired, and some.
const KEPT_SECONDS: i32 = 15 * 60;
/// How often a waiting follower looks for what other instances revoked.
const POLL: Duration = Duration::from_secs(1);
/// How many are answered at once.
const PAGE: i64 = 1000;

/// Appends a revocation; a second one of the same thing changes nothing. To be announced after the commit.
pub(crate) async fn append(
    transaction: &Transaction<'_>,
    kind: RevocationKind,
    subject: &str,
) -> Result<(), StoreError> {
    store::execute(transaction, include_str!("sql/insert_revocation.sql"), &[&name(kind), &subject, &KEPT_SECONDS])
        .await?;
    Ok(())
}

/// Whether this token or its session has been revoked.
pub(crate) async fn is_revoked(
    client: &impl GenericClient,
    token_id: &str,
    session_id: Option<&str>,
) -> Result<bool, StoreError> {
    let row = store::query_one(client, include_str!("sql/is_revoked.sql"), &[&token_id, &session_id]).await?;
    Ok(row.try_get(0)?)
}

/// Tells this instance what it has just revoked: its own verifier at once, and whoever waits for news.
#[derive(Debug, Clone)]
pub(crate) struct Announcer {
    in_force: Revocations,
    bell: watch::Sender<()>,
    draining: CancellationToken,
}

impl Announcer {
    /// What is revoked goes to `in_force` at once; nobody waits any longer once `draining` is cancelled.
    pub(crate) fn new(in_force: Revocations, draining: CancellationToken) -> Self {
        Self { in_force, bell: watch::Sender::new(()), draining }
    }

    /// To be called after the commit.
    pub(crate) fn announce(&self, kind: RevocationKind, subject: &str) {
        let expires_at = web::request_context::now() + chrono::Duration::seconds(i64::from(KEPT_SECONDS));
        // Its position matters to followers only, who read it from the table.
        self.in_force.add([Revocation { position: 0, kind, id: subject.to_owned(), expires_at }]);
        self.bell.send_replace(());
    }

    /// Waits until something lies behind `after`, at most for `patience`.
    pub(crate) async fn wait_page(
        &self,
        pool: &Pool,
        after: i64,
        patience: Duration,
    ) -> Result<RevocationPage, StoreError> {
        let mut rung = self.bell.subscribe();
        let deadline = Instant::now() + patience;
        loop {
            rung.mark_unchanged();
            let page = page(pool, after).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            let news = !page.revocations.is_empty() || page.head < after;
            if news || left.is_zero() || self.draining.is_cancelled() {
                return Ok(page);
            }
            // Woken or not, the next look decides: a bell that was not heard costs one interval at most.
            let woken = self.draining.run_until_cancelled(rung.changed());
            drop(tokio::time::timeout(left.min(POLL), woken).await);
        }
    }
}

async fn page(pool: &Pool, after: i64) -> Result<RevocationPage, StoreError> {
    let client = pool.get().await?;
    // The head is read first: what is committed in between is in the page, and never passed over.
    let head: i64 = store::query_one(&client, "SELECT position FROM revocation_head", &[]).await?.try_get(0)?;
    let rows = store::query(&client, include_str!("sql/select_revocations.sql"), &[&after, &PAGE]).await?;
    let mut revocations = Vec::with_capacity(rows.len());
    for row in &rows {
        revocations.push(Revocation {
            position: row.try_get("position")?,
            kind: parse(row.try_get("kind")?).ok_or(StoreError::Unreadable { what: "revocation" })?,
            id: row.try_get("subject")?,
            expires_at: row.try_get("expires_at")?,
        });
    }
    // A follower that goes on from the head must not pass over what did not fit in the page.
    let head = revocations.last().map_or(head, |last| last.position);
    Ok(RevocationPage { revocations, head })
}

const fn name(kind: RevocationKind) -> &'static str {
    match kind {
        RevocationKind::Token => "token",
        RevocationKind::Session => "session",
    }
}

fn parse(text: &str) -> Option<RevocationKind> {
    [RevocationKind::Token, RevocationKind::Session].into_iter().find(|kind| name(*kind) == text)
}
