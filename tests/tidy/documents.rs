//! Documents name folders and files that exist.

use std::fs;

use crate::tree::root;

const CHECKED: &[&str] = &["ARCHITECTURE.md", "README.md", "CONTRIBUTING.md"];
const TOP_LEVEL: &[&str] = &[
    "crates/",
    "shared-events/",
    "command-service/",
    "inventory-service/",
    "invoice-service/",
    "query-service/",
    "auth-service/",
    "src/",
    "tests/",
    "docs/",
    "console/",
    "benches/",
    ".ci/",
];

#[test]
fn documents_name_what_is_in_the_tree() {
    for document in CHECKED {
        let Ok(text) = fs::read_to_string(root().join(document)) else { continue };
        for (number, line) in text.lines().enumerate() {
            for named in line.split('`').skip(1).step_by(2) {
                let path = named.split([':', '#', ' ']).next().unwrap_or_default();
                let is_pattern = path.contains(['*', '<', '{', '…']);
                if TOP_LEVEL.iter().any(|folder| path.starts_with(folder)) && !is_pattern {
                    assert!(root().join(path).exists(), "{document}:{}: {path} is not in the tree", number + 1);
                }
            }
        }
    }
}
