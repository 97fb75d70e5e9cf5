//! The user that Postgres runs as: ourselves, or, because Postgres refuses root, `postgres` or `nobody`.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Output, Stdio};

use tokio::process::Command;

use super::EmbeddedError;

const UNPRIVILEGED_USERS: [&str; 2] = ["postgres", "nobody"];

/// A user, and whether we are root and have to become it.
#[derive(Debug, Clone)]
pub(super) struct Account {
    name: String,
    uid: u32,
    gid: u32,
    dropped_from_root: bool,
}

impl Account {
    /// Ourselves, unless we are root.
    pub(super) async fn to_run_as() -> Result<Self, EmbeddedError> {
        let (uid, gid) = (own_id("-u").await?, own_id("-g").await?);
        if uid != 0 {
            return Ok(Self { name: uid.to_string(), uid, gid, dropped_from_root: false });
        }
        for name in UNPRIVILEGED_USERS {
            if let (Some(uid), Some(gid)) = (id_of("-u", Some(name)).await?, id_of("-g", Some(name)).await?) {
                return Ok(Self { name: name.to_owned(), uid, gid, dropped_from_root: true });
            }
        }
        Err(EmbeddedError::NoUnprivilegedUser)
    }

    /// Whether we are root and run Postgres as someone else.
    pub(super) fn is_dropped_from_root(&self) -> bool {
        self.dropped_from_root
    }

    /// A command that runs as this user, out of reach of the terminal's Ctrl-C, in `folder`.
    pub(super) fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env("LC_ALL", "C").stdin(Stdio::null()).process_group(0);
        for variable in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGOPTIONS", "PGSERVICE"] {
            command.env_remove(variable);
        }
        if self.dropped_from_root {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Gives a file or folder to this user.
    pub(super) fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        if self.dropped_from_root {
            chown(path, Some(self.uid), Some(self.gid)).map_err(EmbeddedError::file("change the owner of", path))?;
        }
        Ok(())
    }

    /// Whether a file or folder is this user's, or still ours and about to be given to it.
    pub(super) fn owns(&self, metadata: &Metadata) -> bool {
        metadata.uid() == self.uid || (self.dropped_from_root && metadata.uid() == 0)
    }

    /// Checks that this user can enter `folder` and everything above it.
    pub(super) fn check_reach(&self, folder: &Path) -> Result<(), EmbeddedError> {
        if !self.dropped_from_root {
            return Ok(());
        }
        let mut ancestors: Vec<&Path> = folder.ancestors().collect();
        ancestors.reverse();
        for ancestor in ancestors {
            let metadata = ancestor.metadata().map_err(EmbeddedError::file("look at", ancestor))?;
            let mode = metadata.permissions().mode();
            let may_enter = if metadata.uid() == self.uid {
                mode & 0o100 != 0
            } else if metadata.gid() == self.gid {
                mode & 0o010 != 0
            } else {
                mode & 0o001 != 0
            };
            if !may_enter {
                return Err(EmbeddedError::Unreachable { user: self.name.clone(), folder: ancestor.to_owned() });
            }
        }
        Ok(())
    }
}

/// Runs a command to its end and answers what it printed, or the failure with both its outputs.
pub(super) async fn run(mut command: Command) -> Result<String, EmbeddedError> {
    let program = Path::new(command.as_std().get_program())
        .file_name()
        .and_then(OsStr::to_str)
        .unwrap_or("the program")
        .to_owned();
    let output: Output =
        command.output().await.map_err(|source| EmbeddedError::Run { program: program.clone(), source })?;
    let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(EmbeddedError::Failed { program, output: [complaint, printed].join("\n").trim().to_owned() })
}

async fn own_id(which: &str) -> Result<u32, EmbeddedError> {
    id_of(which, None).await?.ok_or_else(|| EmbeddedError::Failed {
        program: "id".to_owned(),
        output: "it did not print a number".to_owned(),
    })
}

async fn id_of(which: &str, user: Option<&str>) -> Result<Option<u32>, EmbeddedError> {
    let mut command = Command::new("id");
    command.arg(which).args(user).stdin(Stdio::null());
    match run(command).await {
        Ok(printed) => Ok(printed.parse().ok()),
        Err(EmbeddedError::Failed { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
