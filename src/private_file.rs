//! Files with secrets in them: readable by their owner alone, and there whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

/// Writes beside the file and renames, so a reader never sees half of it.
pub fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let unfinished = path.with_added_extension("new");
    let written = || {
        if unfinished.exists() {
            fs::remove_file(&unfinished)?;
        }
        let mut file = File::options().create_new(true).write(true).mode(0o600).open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}
