//! The source tree as the other rules read it.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path from the root of the repository, and its text.
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

impl SourceFile {
    /// Whether the file holds nothing but tests or benches.
    pub fn is_test_file(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "benches") || self.path.ends_with("/tests.rs")
    }

    /// The text before the first test module.
    pub fn without_tests(&self) -> &str {
        self.text.find("#[cfg(test)]\nmod ").map_or(&self.text, |start| &self.text[..start])
    }

    /// The text from the first test module on; all of it in a test file.
    pub fn tests_only(&self) -> &str {
        if self.is_test_file() { &self.text } else { &self.text[self.without_tests().len()..] }
    }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Fails with all of the complaints at once, so that one run shows all there is to do.
pub fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Every Rust file of ours.
pub fn rust_files() -> Vec<SourceFile> {
    let mut paths = Vec::new();
    collect(root(), &mut paths, &|path| path.extension().is_some_and(|extension| extension == "rs"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| SourceFile {
            text: fs::read_to_string(&path).expect("a source file can be read"),
            path: relative(&path),
        })
        .collect()
}

/// Every `Cargo.toml`, with the folder it is in (empty for the root).
pub fn manifests() -> Vec<(String, toml::Table)> {
    let mut paths = Vec::new();
    collect(root(), &mut paths, &|path| path.file_name().is_some_and(|name| name == "Cargo.toml"));
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a manifest can be read");
            let folder = path.parent().map(relative).unwrap_or_default();
            (folder, text.parse().expect("a manifest is TOML"))
        })
        .collect()
}

pub fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("only paths below the root are walked").to_string_lossy().into_owned()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>, wanted: &dyn Fn(&Path) -> bool) {
    for entry in fs::read_dir(folder).expect("a folder of the tree can be read") {
        let path = entry.expect("an entry of the tree can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "node_modules", "dist"].contains(&name.as_str()) {
                collect(&path, found, wanted);
            }
        } else if wanted(&path) {
            found.push(path);
        }
    }
}
