//! A process that does nothing but append: this program, started again.

use crate::setting::setting;
use bytes::Bytes;
use eventstore::{Append, AppendError, EventLog, Expected, LogConfig, Spawner};
use futures_util::future::join_all;
use pg::{Database, Pool};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use shared_events::{Actor, EventId, Metadata, NewEvent};
use std::{
    io::Read,
    process::{Child, Command, Stdio},
};

pub const PARTITIONS: i32 = 8;
const CONFIG: LogConfig = LogConfig { name: "tests", partitions: PARTITIONS, writers: 2 };
const URL: &str = "OMS_TEST_WRITER_URL";
const SEED: &str = "OMS_TEST_WRITER_SEED";
/// Commands that a process has under way at a time.
const COMMANDS: u64 = 48;
/// Few enough that processes meet on them.
const STREAMS: u32 = 400;

/// A process that writes until this value is dropped.
pub struct WritingProcess(Child);

impl WritingProcess {
    pub fn start(url: &str, seed: u64) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer::a_process_that_was_started_to_write_writes_until_its_end", "--nocapture"])
            .env(URL, url)
            .env(SEED, seed.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    pub fn runs(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for WritingProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub async fn open(url: &str) -> EventLog {
    open_pool(pool(url).await).await
}

async fn open_pool(pool: Pool) -> EventLog {
    EventLog::open(pool, CONFIG, &Spawner::default()).await.unwrap()
}

async fn pool(url: &str) -> Pool {
    Database::new(url, 8).unwrap().pool("public", None).await.unwrap()
}

/// Passes at once where nobody asked this process to write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_was_started_to_write_writes_until_its_end() {
    let (Some(url), Some(seed)) = (setting::<String>(URL), setting::<u64>(SEED)) else { return };
    std::thread::spawn(|| {
        // The end of whoever started us is our end too.
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let pool = pool(&url).await;
    let log = open_pool(pool.clone()).await;
    join_all((0..COMMANDS).map(|n| write(&log, &pool, seed.wrapping_add(n)))).await;
}

async fn write(log: &EventLog, pool: &Pool, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    loop {
        let stream_id = format!("stream-{}", random.random_range(0..STREAMS));
        let expected = match random.random_range(0..10) {
            0..5 => Expected::Any,
            // Often somebody was faster.
            _ => match log.stream_version(&stream_id).await {
                Ok(version) => Expected::Version(version),
                Err(error) if error.is_unavailable() => continue,
                Err(error) => panic!("{error}"),
            },
        };
        let append = command(&mut random, stream_id, expected);
        let appended = if random.random_range(0..40) == 0 {
            take_back(log, pool, append).await
        } else {
            log.append(append).await.map(drop)
        };
        match appended {
            Ok(()) | Err(AppendError::Conflict { .. }) => {}
            Err(error) if error.is_unavailable() => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Appends in a transaction that ends in a rollback: the positions are given back.
async fn take_back(log: &EventLog, pool: &Pool, append: Append) -> Result<(), AppendError> {
    let mut client = pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let appended = log.append_in(&transaction, &[append]).await.map(drop);
    transaction.rollback().await.unwrap();
    appended
}

fn command(random: &mut StdRng, stream_id: String, expected: Expected) -> Append {
    let events = (0..random.random_range(1..=8)).map(|_| {
        let words = "x".repeat(random.random_range(10..400));
        NewEvent {
            event_id: EventId::generate(),
            event_type: "Happened",
            schema_version: 1,
            payload: Bytes::from(format!(r#"{{"words":"{words}"}}"#)),
        }
    });
    Append {
        stream_id,
        stream_type: "Test",
        expected,
        command_id: None,
        events: events.collect(),
        metadata: Metadata {
            correlation_id: EventId::generate().as_uuid(),
            causation_id: None,
            actor: Actor::internal(),
            traceparent: None,
            import: false,
        },
        claim: None,
    }
}
