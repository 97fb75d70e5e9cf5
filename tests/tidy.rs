//! The layout rules, kept by a test: what depends on what, how large files are, what things are called, which stored
//! shapes may never change. Each failure names the file and says what to do.

#[path = "tidy/arrows.rs"]
mod arrows;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/golden.rs"]
mod golden;
#[path = "tidy/names.rs"]
mod names;
#[path = "tidy/tree.rs"]
mod tree;
