//! Standard OAuth clients run every grant against the running system: npm's openid-client and Python's Authlib, each as
//! its documentation shows it. They are installed by name into a folder of the build's; where that is not possible the
//! test says so and passes, unless `CI` is set.

use crate::system::shared;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const OPENID_CLIENT: &str = "openid-client@6.8.9";
const AUTHLIB: &[&str] = &["authlib==1.9.9", "requests==2.34.2"];

/// The folder that a client is installed into and kept in.
pub fn cache(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standard-clients").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a program to its end; what it printed, or why not.
pub fn run(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str], folder: &Path) -> Result<String, String> {
    let output = Command::new(program.as_ref()).args(arguments).current_dir(folder).output();
    let output = output.map_err(|error| format!("{}: {error}", program.as_ref().display()))?;
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if output.status.success() { Ok(text) } else { Err(text) }
}

/// What is to be said of a client that cannot be run here: a failure under `CI`, else a loud word.
fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    eprintln!("NOT TESTED: a standard client was skipped: {reason}");
}

/// Whether a step on the way to the client was possible here.
pub fn possible(step: Result<String, String>) -> bool {
    step.inspect_err(|reason| skip(reason)).is_ok()
}

#[test]
#[ignore = "run ./oms test"]
fn openid_client_of_npm_runs_every_grant() {
    let folder = cache("openid-client");
    let there = folder.join("node_modules").join("openid-client").exists();
    let install = ["install", "--no-audit", "--no-fund", "--prefix", ".", OPENID_CLIENT];
    if !possible(run("node", &["--version"], &folder)) || !there && !possible(run("npm", &install, &folder)) {
        return;
    }
    // Node looks for packages from where the script is.
    fs::write(folder.join("openid_client.mjs"), include_str!("../clients/openid_client.mjs")).unwrap();
    let ready_file = shared().ready_file.to_str().unwrap();
    let said = run("node", &["openid_client.mjs", ready_file], &folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(said.contains("openid-client: done"), "{said}");
}

#[test]
#[ignore = "run ./oms test"]
fn authlib_of_python_runs_every_grant() {
    let folder = cache("authlib");
    let python = folder.join("venv").join("bin").join("python");
    let there = run(&python, &["-c", "import authlib, requests"], &folder).is_ok();
    let install: Vec<&str> = ["-m", "pip", "install", "--quiet"].iter().chain(AUTHLIB).copied().collect();
    let prepare = || run("python3", &["-m", "venv", "venv"], &folder).and_then(|_| run(&python, &install, &folder));
    if !there && !possible(prepare()) {
        return;
    }
    fs::write(folder.join("authlib_client.py"), include_str!("../clients/authlib_client.py")).unwrap();
    let ready_file = shared().ready_file.to_str().unwrap();
    let said = run(&python, &["authlib_client.py", ready_file], &folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(said.contains("authlib: done"), "{said}");
}
