//! Finds the server's binaries where packages put them: the search path, Debian, Red Hat, Homebrew, Postgres.app.

use std::path::{Path, PathBuf};

use super::EmbeddedError;
use super::account::{Account, run};

const OLDEST_MAJOR: u32 = 14;
/// Folders that hold one folder per version, and what comes between that and the binaries.
const VERSIONED: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// A folder with `postgres`, `initdb` and `pg_ctl` of one version.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    folder: PathBuf,
    version: String,
    major: u32,
}

impl Binaries {
    /// The newest binaries, or those of `wanted_major` where a cluster already exists.
    pub(super) async fn find(wanted_major: Option<u32>, account: &Account) -> Result<Self, EmbeddedError> {
        let mut best: Option<Self> = None;
        for folder in candidate_folders() {
            let Some(found) = Self::in_folder(&folder, account).await else { continue };
            if wanted_major == Some(found.major) {
                return Ok(found);
            }
            if best.as_ref().is_none_or(|best| best.major < found.major) {
                best = Some(found);
            }
        }
        match (best, wanted_major) {
            (Some(_), Some(major)) => Err(EmbeddedError::OtherVersion { major }),
            (Some(best), None) => Ok(best),
            (None, _) => Err(EmbeddedError::NoBinaries),
        }
    }

    /// The full path of one of the programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The version as the server names it, such as `15.18`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    async fn in_folder(folder: &Path, account: &Account) -> Option<Self> {
        if !["postgres", "initdb", "pg_ctl"].iter().all(|program| folder.join(program).is_file()) {
            return None;
        }
        let mut command = account.command(&folder.join("postgres"), Path::new("/"));
        command.arg("--version");
        let printed = run(command).await.ok()?;
        let (version, major) = parse_version(&printed)?;
        (major >= OLDEST_MAJOR).then(|| Self { folder: folder.to_owned(), version, major })
    }
}

fn candidate_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    for (parent, prefix, below) in VERSIONED {
        let Ok(entries) = Path::new(parent).read_dir() else { continue };
        let versions = entries
            .filter_map(Result::ok)
            .filter(|entry| {
                entry
                    .file_name()
                    .to_str()
                    .and_then(|name| name.strip_prefix(prefix))
                    .is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()))
            })
            .map(|entry| entry.path().join(below));
        folders.extend(versions);
    }
    folders
}

/// `postgres (PostgreSQL) 15.18 (Debian …)` is version `15.18` of major 15.
fn parse_version(printed: &str) -> Option<(String, u32)> {
    let version = printed.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    Some((version.to_owned(), digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_are_read_as_packages_print_them() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0)"), Some(("15.18".to_owned(), 15)));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1"), Some(("18beta1".to_owned(), 18)));
        assert_eq!(parse_version("not a server"), None);
    }
}
