//! From what serde says to the problem that the design asks for.

use crate::{Code, Problem};
use serde_json::Value;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

/// The problem for an error of the JSON reader.
pub(super) fn problem(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let message = message(error.inner());
    if error.inner().classify() != Category::Data {
        return Problem::malformed_json(format!("the body is no valid JSON: {}", error.inner()));
    }
    let mut pointer = pointer(error.path());
    let (code, detail) = if let Some(field) = named("missing field `", &message) {
        push(&mut pointer, field);
        (Code::ValidationFailed, "this field is missing".to_owned())
    } else if let Some(field) = named("unknown field `", &message) {
        if !pointer.ends_with(&format!("/{}", escape(field))) {
            push(&mut pointer, field);
        }
        (Code::UnknownField, "there is no such field here".to_owned())
    } else if let Some(field) = named("duplicate field `", &message) {
        push(&mut pointer, field);
        (Code::MalformedJson, "this field is there twice".to_owned())
    } else if ["invalid type:", "invalid length"].iter().any(|start| message.starts_with(start)) {
        (Code::MalformedJson, message)
    } else if message.starts_with("expected an id that starts with") || message.starts_with("the part behind `") {
        // What the TypeIDs say of themselves: the form of an id is 400 wherever it stands.
        (Code::InvalidId, message)
    } else {
        // The right type with a value that breaks a rule: out of range, an unknown variant, a parser's own sentence.
        (Code::ValidationFailed, message)
    };
    let place = if pointer.is_empty() { "the body".to_owned() } else { format!("`{pointer}`") };
    Problem::new(code, format!("{place}: {detail}")).with_error(pointer, code.as_str(), detail)
}

/// The sentence without serde_json's ` at line 1 column 7`.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn named<'m>(start: &str, message: &'m str) -> Option<&'m str> {
    let rest = message.strip_prefix(start)?;
    rest.split('`').next()
}

fn pointer(path: &Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push(&mut text, &index.to_string()),
            Segment::Map { key } => push(&mut text, key),
            // Enum variants of a body are written as their own field; an unknown segment has no name.
            Segment::Enum { variant } => push(&mut text, variant),
            Segment::Unknown => {}
        }
    }
    text
}

fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&escape(token));
}

fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// Whether a JSON text has the escape of U+0000: a `u0000` behind an odd number of backslashes.
pub(crate) fn has_escaped_nul(text: &[u8]) -> bool {
    let mut backslashes = 0_usize;
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'\\' => backslashes += 1,
            b'u' if backslashes % 2 == 1 && text[index + 1..].starts_with(b"0000") => return true,
            _ => backslashes = 0,
        }
    }
    false
}

/// The problem for a text that has U+0000 anywhere, with the pointer to it where the text is JSON at all.
pub(super) fn escaped_nul(text: &str) -> Option<Problem> {
    if !has_escaped_nul(text.as_bytes()) {
        return None;
    }
    let mut pointer = String::new();
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        find_nul(&value, &mut pointer);
    }
    let detail = "U+0000 is not allowed in any text";
    Some(Problem::malformed_json(detail).with_error(pointer, Code::MalformedJson.as_str(), detail))
}

/// Leaves the pointer at the first text with U+0000. The depth is bounded by the JSON reader.
fn find_nul(value: &Value, pointer: &mut String) -> bool {
    let length = pointer.len();
    match value {
        Value::String(text) => return text.contains('\0'),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                push(pointer, &index.to_string());
                if find_nul(item, pointer) {
                    return true;
                }
                pointer.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                if key.contains('\0') {
                    return true;
                }
                push(pointer, key);
                if find_nul(field, pointer) {
                    return true;
                }
                pointer.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    false
}
