//! A stored event's shape never changes: every golden file is listed with its checksum, and the list only grows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use sha2::{Digest, Sha256};

use crate::tree::root;

const FOLDER: &str = "shared-events/golden";
const LIST: &str = "tests/tidy/golden.sha256";

#[test]
fn golden_files_are_never_edited() {
    let listed: BTreeMap<String, String> = fs::read_to_string(root().join(LIST))
        .expect("the list of golden files is there")
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(checksum, name)| (name.to_owned(), checksum.to_owned()))
        .collect();
    let mut found = BTreeMap::new();
    for entry in root().join(FOLDER).read_dir().expect("every event has a golden file") {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let checksum = Sha256::digest(fs::read(&path).expect("a golden file can be read"));
        let checksum = checksum.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        found.insert(name, checksum);
    }
    for (name, checksum) in &listed {
        assert_eq!(
            found.get(name),
            Some(checksum),
            "{FOLDER}/{name} was changed or removed. Stored events have this shape for ever: undo that, and write a new \
             version with an upcast and a golden file of its own"
        );
    }
    for (name, checksum) in &found {
        assert!(listed.contains_key(name), "a new golden file: add this line to {LIST}\n{checksum}  {name}");
    }
}
