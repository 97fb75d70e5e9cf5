//! Why the embedded server cannot be run, said so that the reader knows what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::PgError;

/// The embedded server could not be found, made, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No server binaries anywhere.
    #[error(
        "no Postgres server of version 14 or newer was found; install one (Debian, Ubuntu: apt-get install postgresql; \
         macOS: brew install postgresql@17), or set DATABASE_URL to a server that runs"
    )]
    NoBinaries,
    /// The cluster was made by a major version that is not installed.
    #[error(
        "the cluster was made by Postgres {major}, whose server binaries are not installed; install that version, or \
         name another data folder"
    )]
    OtherVersion {
        /// The cluster's major version.
        major: u32,
    },
    /// Postgres refuses to run as root and there is no other user to run it as.
    #[error("Postgres does not run as root, and neither the user postgres nor the user nobody exists")]
    NoUnprivilegedUser,
    /// The home folder is unknown.
    #[error("the home folder of this user is unknown; name a data folder with --data-dir")]
    NoHome,
    /// Another process of ours owns the folder.
    #[error("{} is in use by another oms process; stop it, or name another data folder with --data-dir", data_dir.display())]
    InUse {
        /// The folder.
        data_dir: PathBuf,
    },
    /// The user that runs Postgres cannot get to its folder.
    #[error(
        "the user {user}, which runs Postgres, may not enter {}; name a data folder it can reach with --data-dir, for \
         example /var/lib/oms",
        folder.display()
    )]
    Unreachable {
        /// The user Postgres runs as.
        user: String,
        /// The first folder on the way that is closed.
        folder: PathBuf,
    },
    /// The folder for sockets may be somebody else's trap.
    #[error(
        "{} is not a private folder of the user that runs Postgres; remove it, or name a data folder with a shorter \
         path with --data-dir",
        folder.display()
    )]
    NotPrivate {
        /// The folder.
        folder: PathBuf,
    },
    /// A file operation failed.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was being done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A program could not be run at all.
    #[error("cannot run {program}")]
    Run {
        /// The program.
        program: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A program reported a failure.
    #[error("{program} failed: {output}")]
    Failed {
        /// The program.
        program: String,
        /// What it said.
        output: String,
    },
    /// The server runs but cannot be used.
    #[error("the embedded server cannot be used")]
    Database(#[from] PgError),
}

impl EmbeddedError {
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}
