//! What things are called: plain nouns for types, past tense for events, imperatives for commands.

use std::path::Path;

use crate::tree::{assert_none, root, rust_files};

const EMPTY_WORDS: &[&str] =
    &["Manager", "Helper", "Helpers", "Util", "Utils", "Data", "Info", "Common", "Misc", "Stuff"];
/// Names that a standard or the contract gave.
const TERMS_OF_ART: &[&str] = &["UserInfo", "PageInfo", "DataLoader", "PersonalDataErased"];
/// Past tenses that do not end in -ed.
const IRREGULAR_PAST: &[&str] = &["Held", "Set", "Sent", "Lost", "Found", "Begun", "Paid"];

#[test]
fn no_type_or_file_has_an_empty_name() {
    let mut complaints = Vec::new();
    for file in rust_files() {
        let stem = Path::new(&file.path).file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        if EMPTY_WORDS.iter().any(|word| word.to_lowercase() == stem) {
            complaints.push(format!("{}: the file's name says nothing; name what is in it", file.path));
        }
        for name in declared_types(&file.text) {
            let is_empty = words_of(&name).iter().any(|word| EMPTY_WORDS.contains(&word.as_str()));
            if is_empty && !TERMS_OF_ART.contains(&name.as_str()) {
                complaints.push(format!("{}: {name} says nothing; name what it is", file.path));
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn events_are_in_the_past_tense() {
    for entry in root().join("shared-events/golden").read_dir().expect("every event has a golden file") {
        let file_name = entry.expect("the folder can be read").file_name().to_string_lossy().into_owned();
        if !file_name.ends_with(".json") {
            continue;
        }
        let event = file_name.split('.').next().unwrap_or_default();
        let last = words_of(event).pop().unwrap_or_default();
        assert!(
            last.ends_with("ed") || IRREGULAR_PAST.contains(&last.as_str()),
            "shared-events/golden/{file_name}: an event says what happened, in the past tense"
        );
    }
}

#[test]
fn commands_are_imperative() {
    for file in rust_files().iter().filter(|file| file.path.starts_with("crates/order/src/")) {
        for variant in variants_of(file.without_tests(), "enum Command") {
            let first = words_of(&variant).into_iter().next().unwrap_or_default();
            assert!(!first.ends_with("ed"), "{}: {variant} says what happened; a command says what to do", file.path);
        }
    }
}

fn declared_types(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with("//"))
        .filter_map(|line| {
            let line =
                line.strip_prefix("pub ").or_else(|| line.split_once(") ").map(|(_, rest)| rest)).unwrap_or(line);
            let rest =
                ["struct ", "enum ", "trait ", "type ", "union "].iter().find_map(|word| line.strip_prefix(word))?;
            Some(rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect())
        })
        .collect()
}

fn variants_of(text: &str, declaration: &str) -> Vec<String> {
    let Some((_, body)) = text.split_once(declaration) else { return Vec::new() };
    body.lines()
        .skip(1)
        .take_while(|line| *line != "}")
        .map(str::trim)
        .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
        .map(|line| line.chars().take_while(|letter| letter.is_alphanumeric()).collect())
        .collect()
}

/// `OrderPlaced` is `Order`, `Placed`.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_uppercase() => word.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    words
}
