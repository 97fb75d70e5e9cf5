//! The throwaway server behind the databases of one test process, or of all processes where `OMS_TEST_DATABASE_URL`
//! names one that is already there (`./oms test` sees to that).
//!
//! The server keeps its durability settings: on memory-backed storage they cost nothing, so tests run on the settings
//! that production has. A small supervisor stops it when the test process ends, however that happens.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};

use pg::embedded::{Embedded, EmbeddedOptions};
use tokio::sync::OnceCell;
use uuid::Uuid;

const SHARED_URL: &str = "OMS_TEST_DATABASE_URL";
const MEMORY_FOLDER: &str = "/dev/shm";
const MEMORY_NEEDED_KIB: u64 = 2 * 1024 * 1024;
const MAX_CONNECTIONS: &str = "500";
/// Waits for the end of its input, which is ours to keep open, then ends the server and removes its folder.
const SUPERVISOR: &str = r#"
read -r _
pid_file="$1/postgres/postmaster.pid"
if [ -f "$pid_file" ]; then
    pid=$(head -n 1 "$pid_file")
    kill -QUIT "$pid" 2>/dev/null
    while [ -f "$pid_file" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
fi
rm -rf "$1"
"#;

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();

struct Cluster {
    url: String,
    _own: Option<(ChildStdin, Embedded)>,
}

/// The URL of the server's first database; starts the server at the first call.
///
/// # Panics
/// If no server can be started.
pub async fn cluster_url() -> &'static str {
    &CLUSTER.get_or_init(find_or_start).await.url
}

#[expect(clippy::disallowed_methods, reason = "a test has no service settings; this variable is the test run's own")]
async fn find_or_start() -> Cluster {
    if let Ok(url) = std::env::var(SHARED_URL) {
        return Cluster { url, _own: None };
    }
    let folder = base_folder().join(format!("oms-test-{}", Uuid::from_bytes(rand::random()).simple()));
    let supervisor = supervise(&folder);
    let settings = [("max_connections", MAX_CONNECTIONS), ("max_wal_size", "256MB"), ("autovacuum_naptime", "10s")];
    let options = EmbeddedOptions {
        data_dir: Some(folder),
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
    };
    let embedded = Embedded::start(options).await.expect("tests need Postgres 14 or newer; ./oms test installs it");
    Cluster { url: embedded.url().to_owned(), _own: Some((supervisor, embedded)) }
}

#[expect(clippy::zombie_processes, reason = "the supervisor outlives us on purpose: it waits for our end")]
fn supervise(folder: &Path) -> ChildStdin {
    let mut supervisor = Command::new("sh")
        .args(["-c", SUPERVISOR, "oms-test-supervisor"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a shell can be started");
    supervisor.stdin.take().expect("the supervisor's input was asked for as a pipe")
}

/// Memory where there is enough of it, else the ordinary temporary folder.
fn base_folder() -> PathBuf {
    let free_kib = Command::new("df").args(["-Pk", MEMORY_FOLDER]).output().ok().and_then(|output| {
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        table.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok()
    });
    if free_kib.is_some_and(|free| free >= MEMORY_NEEDED_KIB) {
        PathBuf::from(MEMORY_FOLDER)
    } else {
        std::env::temp_dir()
    }
}
