//! A machine that runs `oms up`, and everything that can go wrong with its processes.

use crate::{budget::setting, http::Access, waiting::eventually};
use serde_json::Value;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
};

/// Ends what still runs in a folder and removes it, when our end of its standard input is closed, even by a crash.
const SUPERVISOR: &str = r#"
read -r _
kill -KILL $(cat "$1"/*.pid 2>/dev/null) 2>/dev/null
pid_file="$1/data/postgres/postmaster.pid"
if [ -f "$pid_file" ]; then
    pid=$(head -n 1 "$pid_file")
    kill -CONT "$pid" 2>/dev/null
    kill -QUIT "$pid" 2>/dev/null
    while [ -f "$pid_file" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
fi
rm -rf "$1"
"#;
/// Below the ports that the system gives to connections, so that a restart finds its own again.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// A folder with what runs in it; both end with it.
pub struct Folder {
    path: PathBuf,
    _supervisor: ChildStdin,
}

impl Folder {
    #[expect(clippy::zombie_processes, reason = "the supervisor outlives us on purpose: it waits for our end")]
    pub fn new() -> Self {
        use std::os::unix::process::CommandExt;
        let path = base_folder().join(format!("oms-faults-{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&path).unwrap();
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "oms-faults-supervisor"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        Self { path, _supervisor: supervisor.stdin.take().unwrap() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Starts the binary with its own log and pid file.
    pub fn spawn(&self, name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Child {
        let log = File::options().create(true).append(true).open(self.path.join(format!("{name}.log"))).unwrap();
        let child = Command::new(binary())
            .args(arguments)
            .env_remove("OMS_FAULT_SEED")
            .env_remove("OMS_FAULT_KILLS")
            .env_remove("OMS_FAULT_SECONDS")
            .env_remove("OMS_FAULT_BINARY")
            .env_remove("OMS_FAULT_IMPORT")
            .env("OMS_RATE_LIMIT", "off")
            .env("OMS_RESERVATION_TTL", "10s")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        std::fs::write(self.path.join(format!("{name}.pid")), format!("{}\n", child.id())).unwrap();
        child
    }

    /// Keeps the logs of a run that failed.
    pub fn keep_logs(&self) {
        let kept = std::env::temp_dir().join("oms-faults-logs");
        let _ = std::fs::remove_dir_all(&kept);
        std::fs::create_dir_all(&kept).unwrap();
        let logs = std::fs::read_dir(&self.path).unwrap().filter_map(Result::ok).map(|entry| entry.path());
        for log in logs.chain([self.path.join("data/postgres.log")]) {
            if log.extension().is_some_and(|extension| extension == "log") {
                let _ = std::fs::copy(&log, kept.join(log.file_name().unwrap()));
            }
        }
        println!("the logs are in {}", kept.display());
    }
}

/// The binary that this test was built with, or the one that was named.
pub fn binary() -> String {
    setting("OMS_FAULT_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_oms").to_owned())
}

/// Memory where there is enough of it: a server that was killed reads and syncs every file before it serves again.
fn base_folder() -> PathBuf {
    let free_kib = Command::new("df").args(["-Pk", "/dev/shm"]).output().ok().and_then(|output| {
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        table.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok()
    });
    if free_kib.is_some_and(|free| free >= 8 * 1024 * 1024) { "/dev/shm".into() } else { std::env::temp_dir() }
}

/// A port that nothing listens on.
pub fn free_port() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 500).unwrap() * 16;
    loop {
        let port = first + NEXT_PORT.fetch_add(1, Ordering::Relaxed);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// `oms up` with its embedded Postgres.
pub struct Machine {
    pub folder: Folder,
    pub url: String,
    port: String,
    oms: Mutex<Child>,
}

impl Machine {
    /// Starts it in a new folder and waits until it serves.
    pub fn start() -> Self {
        let folder = Folder::new();
        let port = free_port().to_string();
        let oms = Mutex::new(spawn(&folder, &port));
        let machine = Self { url: format!("http://127.0.0.1:{port}"), folder, port, oms };
        machine.await_ready();
        machine
    }

    /// Starts oms again after its end and waits until it serves.
    pub fn start_again(&self) {
        let _ = self.oms().wait();
        let child = spawn(&self.folder, &self.port);
        *self.oms() = child;
        self.await_ready();
    }

    /// The database, for a login that reads and writes everything.
    pub fn database_url(&self) -> String {
        self.ready()["databaseUrl"].as_str().unwrap().to_owned()
    }

    /// The client that may do everything.
    pub fn access(&self) -> Access {
        let ready = self.ready();
        let clients = ready["clients"].as_array().unwrap();
        Access::open(&self.url, clients.iter().find(|client| client["name"] == "service").unwrap())
    }

    fn ready(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.ready_file()).unwrap()).unwrap()
    }

    fn ready_file(&self) -> PathBuf {
        self.folder.path().join("ready.json")
    }

    /// Runs a word of the command line on this system and reads its JSON; the exit code may be any.
    pub fn oms_json(&self, arguments: &[&str]) -> Value {
        let ready_file = self.ready_file();
        let asked = Command::new(binary()).args(arguments).arg("--json").arg("--ready-file").arg(ready_file).output();
        let asked = asked.unwrap();
        serde_json::from_slice(&asked.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {asked:?}"))
    }

    /// Has the system's own proof run on its database.
    pub fn verify(&self) {
        let verified =
            Command::new(binary()).arg("verify").arg("--ready-file").arg(self.ready_file()).output().unwrap();
        let report = String::from_utf8_lossy(&verified.stdout);
        assert!(verified.status.success(), "{report}{}", String::from_utf8_lossy(&verified.stderr));
    }

    fn await_ready(&self) {
        eventually("oms serves", || {
            let ended = self.oms().try_wait().unwrap();
            if let Some(status) = ended {
                self.folder.keep_logs();
                panic!("oms ended before it served: {status}");
            }
            serde_json::from_slice::<Value>(&std::fs::read(self.ready_file()).ok()?).ok()
        });
    }

    pub fn signal_oms(&self, signal: &str) {
        kill(signal, &[self.oms().id()]);
    }

    /// Ends oms as Ctrl-C would, and Postgres with it.
    pub fn stop(&self) {
        self.signal_oms("TERM");
        assert!(self.oms().wait().unwrap().success(), "an orderly stop ends well");
    }

    /// Signals the postmaster and all its children. It comes first, so that it makes no new ones.
    pub fn signal_postgres(&self, signal: &str) {
        let Some(postmaster) = self.postmaster() else { return };
        if signal == "CONT" {
            kill("CONT", &children(postmaster));
            kill("CONT", &[postmaster]);
            return;
        }
        kill("STOP", &[postmaster]);
        kill(signal, &children(postmaster));
        kill(signal, &[postmaster]);
    }

    pub fn signal_postmaster(&self, signal: &str) {
        kill(signal, self.postmaster().as_slice());
    }

    /// Signals one of its children, whichever: a backend, or one of the server's own.
    pub fn signal_backend(&self, signal: &str, choice: usize) {
        let children = self.postmaster().map(children).unwrap_or_default();
        if !children.is_empty() {
            kill(signal, &[children[choice % children.len()]]);
        }
    }

    fn postmaster(&self) -> Option<u32> {
        let file = std::fs::read_to_string(self.folder.path().join("data/postgres/postmaster.pid")).ok()?;
        let pid = file.lines().next()?.trim().parse().ok()?;
        // A number that the system gave to another process meanwhile must not be signalled.
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&command).contains(self.folder.path().to_str()?).then_some(pid)
    }

    fn oms(&self) -> MutexGuard<'_, Child> {
        self.oms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.keep_logs();
        }
        let _ = self.oms().kill();
        let _ = self.oms().wait();
        let _ = std::fs::remove_file(self.folder.path().join("oms.pid"));
    }
}

fn spawn(folder: &Folder, port: &str) -> Child {
    let ready_file = folder.path().join("ready.json");
    let _ = std::fs::remove_file(&ready_file);
    let data = folder.path().join("data");
    let (data, ready_file) = (data.to_str().unwrap(), ready_file.to_str().unwrap());
    folder.spawn("oms", &["up", "--port", port, "--data-dir", data, "--ready-file", ready_file], &[])
}

/// Signals processes; those that are gone already are not missed.
pub fn kill(signal: &str, processes: &[u32]) {
    if !processes.is_empty() {
        let processes = processes.iter().map(ToString::to_string);
        let _ = Command::new("kill").arg(format!("-{signal}")).args(processes).stderr(Stdio::null()).status().unwrap();
    }
}

fn children(parent: u32) -> Vec<u32> {
    let listed = Command::new("ps").args(["-o", "pid=", "--ppid", &parent.to_string()]).output().unwrap().stdout;
    String::from_utf8(listed).unwrap().split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
