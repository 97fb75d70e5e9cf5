//! The files of one cluster: its folder, its generated password, its settings and where its sockets go.

use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rand::RngExt;

use super::EmbeddedError;
use super::account::{Account, run};
use super::binaries::Binaries;

/// The one database, and the login that owns the cluster.
pub(super) const DATABASE: &str = "oms";
const LOGIN: &str = "oms";
const PASSWORD_LENGTH: usize = 32;
/// The kernel's limit for a unix socket's path, and the longest name Postgres gives a socket in its folder.
const LONGEST_SOCKET_PATH: usize = 107;
const LONGEST_SOCKET_NAME: usize = "/.s.PGSQL.65535.lock".len();

/// Where the files of a cluster are.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    data_dir: PathBuf,
    socket_dir: PathBuf,
}

impl Cluster {
    /// Prepares the folders above and beside the cluster, and checks that the server's user can reach them.
    pub(super) fn at(data_dir: &Path, account: &Account) -> Result<Self, EmbeddedError> {
        create_folder(data_dir, 0o755)?;
        let data_dir = fs::canonicalize(data_dir).map_err(EmbeddedError::file("resolve", data_dir))?;
        account.check_reach(&data_dir)?;
        let socket_dir = socket_dir_for(&data_dir);
        create_folder(&socket_dir, 0o700)?;
        if !socket_dir.starts_with(&data_dir) {
            check_private(&socket_dir, account)?;
        }
        account.give(&socket_dir)?;
        account.check_reach(&socket_dir)?;
        Ok(Self { data_dir, socket_dir })
    }

    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The folder that is the server's own.
    pub(super) fn folder(&self) -> PathBuf {
        self.data_dir.join("postgres")
    }

    /// What the server writes to its standard error.
    pub(super) fn log_path(&self) -> PathBuf {
        self.data_dir.join("postgres.log")
    }

    /// The major version that made the cluster, if there is one.
    pub(super) fn major_version(&self) -> Result<Option<u32>, EmbeddedError> {
        let path = self.folder().join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(EmbeddedError::File { action: "read", path, source }),
        }
    }

    /// Runs initdb into a folder beside the cluster and renames it, so a cluster is there whole or not at all.
    pub(super) async fn create_if_missing(&self, binaries: &Binaries, account: &Account) -> Result<(), EmbeddedError> {
        if self.folder().exists() {
            return Ok(());
        }
        let unfinished = self.data_dir.join("postgres.new");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(EmbeddedError::file("remove", &unfinished))?;
        }
        create_folder(&unfinished, 0o700)?;
        account.give(&unfinished)?;
        let password = generate_password();
        write_private(&self.password_path(), &password)?;
        let handed_over = self.socket_dir.join("initial-password");
        write_private(&handed_over, &password)?;
        account.give(&handed_over)?;

        let mut initdb = account.command(&binaries.program("initdb"), &self.data_dir);
        initdb.arg("-D").arg(&unfinished).arg(format!("--username={LOGIN}"));
        initdb.arg("--pwfile").arg(&handed_over);
        initdb.args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]);
        let outcome = run(initdb).await;
        fs::remove_file(&handed_over).map_err(EmbeddedError::file("remove", &handed_over))?;
        outcome?;
        fs::rename(&unfinished, self.folder()).map_err(EmbeddedError::file("rename", &unfinished))
    }

    /// Writes our settings where the server reads them at its start.
    pub(super) fn write_settings(
        &self,
        account: &Account,
        port: u16,
        extra: &[(String, String)],
    ) -> Result<(), EmbeddedError> {
        let port = port.to_string();
        let socket_dir = self.socket_dir.to_string_lossy();
        let ours = [
            ("listen_addresses", "127.0.0.1"),
            ("port", port.as_str()),
            ("unix_socket_directories", &*socket_dir),
            ("unix_socket_permissions", "0700"),
            ("password_encryption", "scram-sha-256"),
            ("max_connections", "200"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("jit", "off"),
            ("cluster_name", "oms"),
        ];
        let extra = extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let text: String =
            ours.into_iter().chain(extra).map(|(name, value)| format!("{name} = {}\n", quote_setting(value))).collect();
        let settings = self.folder().join("oms.conf");
        write_private(&settings, &text)?;
        account.give(&settings)?;

        let main = self.folder().join("postgresql.conf");
        let main_text = fs::read_to_string(&main).map_err(EmbeddedError::file("read", &main))?;
        if !main_text.contains("include = 'oms.conf'") {
            File::options()
                .append(true)
                .open(&main)
                .and_then(|mut main| main.write_all(b"\ninclude = 'oms.conf'\n"))
                .map_err(EmbeddedError::file("write", &main))?;
        }
        Ok(())
    }

    /// The password that was generated when the cluster was made.
    pub(super) fn password(&self) -> Result<String, EmbeddedError> {
        let path = self.password_path();
        fs::read_to_string(&path).map_err(EmbeddedError::file("read", &path))
    }

    /// The port used last, to be used again if it is still free.
    pub(super) fn last_port(&self) -> Option<u16> {
        fs::read_to_string(self.data_dir.join("postgres-port")).ok()?.trim().parse().ok()
    }

    pub(super) fn remember_port(&self, port: u16) -> Result<(), EmbeddedError> {
        write_private(&self.data_dir.join("postgres-port"), &port.to_string())
    }

    pub(super) fn tcp_url(&self, password: &str, port: u16, database: &str) -> String {
        format!("postgresql://{LOGIN}:{password}@127.0.0.1:{port}/{database}")
    }

    pub(super) fn socket_url(&self, password: &str, port: u16, database: &str) -> String {
        let host = percent_encode(&self.socket_dir.to_string_lossy());
        format!("postgresql://{LOGIN}:{password}@{host}:{port}/{database}")
    }

    fn password_path(&self) -> PathBuf {
        self.data_dir.join("postgres-password")
    }
}

/// Beside the cluster where the path is short enough, else a private folder under /tmp named after it.
fn socket_dir_for(data_dir: &Path) -> PathBuf {
    let beside = data_dir.join("run");
    if beside.as_os_str().len() + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH {
        return beside;
    }
    let mut hasher = DefaultHasher::new();
    data_dir.hash(&mut hasher);
    PathBuf::from(format!("/tmp/oms-{:016x}", hasher.finish()))
}

/// Where anybody may make a folder, one that is there already is used only if nobody else can have a hand in it.
fn check_private(path: &Path, account: &Account) -> Result<(), EmbeddedError> {
    let found = fs::symlink_metadata(path).map_err(EmbeddedError::file("look at", path))?;
    if found.is_dir() && account.owns(&found) && found.permissions().mode() & 0o777 == 0o700 {
        return Ok(());
    }
    Err(EmbeddedError::NotPrivate { folder: path.to_owned() })
}

fn create_folder(path: &Path, mode: u32) -> Result<(), EmbeddedError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        create_folder(parent, 0o755)?;
    }
    // The mode given at creation is cut by the umask.
    DirBuilder::new()
        .mode(mode)
        .create(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .map_err(EmbeddedError::file("create", path))
}

/// Writes a file that only its owner can read, whole or not at all.
fn write_private(path: &Path, text: &str) -> Result<(), EmbeddedError> {
    let unfinished = path.with_added_extension("new");
    if unfinished.exists() {
        fs::remove_file(&unfinished).map_err(EmbeddedError::file("remove", &unfinished))?;
    }
    File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&unfinished, path))
        .map_err(EmbeddedError::file("write", path))
}

/// Letters and digits only, so that it needs no quoting in a URL.
fn generate_password() -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = rand::rng();
    (0..PASSWORD_LENGTH).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
}

fn quote_setting(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn percent_encode(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_of_a_deep_folder_go_to_a_short_one() {
        let deep = PathBuf::from(format!("/{}", "deep/".repeat(30)));
        let socket_dir = socket_dir_for(&deep);
        assert!(socket_dir.as_os_str().len() + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH);
        assert_eq!(socket_dir_for(Path::new("/var/lib/oms")), Path::new("/var/lib/oms/run"));
    }

    #[tokio::test]
    async fn a_folder_that_others_may_have_made_is_not_used_for_sockets() {
        let account = Account::to_run_as().await.unwrap();
        let folder = PathBuf::from(format!("/tmp/oms-test-{}", std::process::id()));
        let link = folder.with_extension("link");
        create_folder(&folder, 0o700).unwrap();
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        let (real, linked) = (check_private(&folder, &account), check_private(&link, &account));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let open = check_private(&folder, &account);
        fs::remove_file(&link).unwrap();
        fs::remove_dir(&folder).unwrap();

        assert!(real.is_ok());
        assert!(matches!(linked, Err(EmbeddedError::NotPrivate { .. })));
        assert!(matches!(open, Err(EmbeddedError::NotPrivate { .. })));
    }

    #[test]
    fn a_socket_folder_survives_the_way_through_a_url() {
        assert_eq!(percent_encode("/var/lib/o ms"), "%2Fvar%2Flib%2Fo%20ms");
    }
}
