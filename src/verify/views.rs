//! The read tables that answer requests now: the live generation, with how far it is.

use super::progress::Progress;
use super::snapshot::Snapshot;
use anyhow::Context;
use query_service::projectors::READER;

const SCHEMA: &str = "query";
const HAS_POINTER: &str = "select to_regclass('query.generation') is not null";

/// The live read tables.
#[derive(Debug, Clone)]
pub struct Views {
    /// The schema that they are in.
    pub schema: String,
    /// How far they are.
    pub progress: Progress,
}

impl Views {
    /// Finds them; none where query-service has no tables in this database, or none that is live.
    pub async fn find(snapshot: &Snapshot) -> anyhow::Result<Option<Self>> {
        if !snapshot.has(SCHEMA) {
            return Ok(None);
        }
        let client = snapshot.connect(&[SCHEMA]).await?;
        let has_pointer: bool = client.query_one(HAS_POINTER, &[]).await?.get(0);
        let (schema, version) = if has_pointer {
            let live = client.query_opt(include_str!("sql/live_generation.sql"), &[]).await;
            let Some(live) = live.context("the pointer to the read tables cannot be read")? else { return Ok(None) };
            let generation: i32 = live.get(0);
            (format!("{SCHEMA}_{generation}"), generation)
        } else {
            (SCHEMA.to_owned(), 1)
        };
        if !snapshot.has(&schema) {
            return Ok(None);
        }
        let progress = Progress::of(&client, READER, version).await?;
        Ok(Some(Self { schema, progress }))
    }
}
