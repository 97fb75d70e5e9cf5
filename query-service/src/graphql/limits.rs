//! What a document may cost before it is run. The text is measured without recursion first, so that nesting a
//! thousand levels deep never reaches the parser; then the parsed document is measured with every fragment
//! expanded, each fragment once, so that fragments that multiply each other are refused and not walked.

use super::error::{BAD_USER_INPUT, QUERY_TOO_COMPLEX};
use async_graphql::{
    Name, Positioned, Value,
    parser::types::{Directive, ExecutableDocument, Selection, SelectionSet},
};
use std::collections::HashMap;

/// The most tokens of a document.
pub const MAX_TOKENS: usize = 5_000;
/// The most levels of brackets, of any kind, in the text.
pub const MAX_NESTING: usize = 64;
/// The most levels of fields.
pub const MAX_DEPTH: usize = 16;
/// The most levels of selection sets, those of fragments counted.
pub const MAX_LEVELS: usize = 32;
/// The most aliases.
pub const MAX_ALIASES: usize = 50;
/// The most directives.
pub const MAX_DIRECTIVES: usize = 50;
/// The most fields, every fragment expanded.
pub const MAX_FIELDS: usize = 5_000;
/// The most points: a field is one, what is in a page is counted once per entry.
pub const MAX_COMPLEXITY: usize = 20_000;
/// The most operations in one request's body.
pub const MAX_BATCH: usize = 10;

/// Why a document is refused before it is run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is larger than allowed in some way.
    #[error("the document has more than {limit} {what}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// A string holds U+0000, which no text of ours can.
    #[error("text must not hold U+0000")]
    Nul,
    /// A fragment spreads itself.
    #[error("the fragment `{0}` spreads itself")]
    Cycle(String),
}

impl Refused {
    /// The error's code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooMuch { .. } => QUERY_TOO_COMPLEX,
            Self::Nul | Self::Cycle(_) => BAD_USER_INPUT,
        }
    }
}

const fn too_much(what: &'static str, limit: usize) -> Refused {
    Refused::TooMuch { what, limit }
}

/// Counts tokens and brackets in a document's text, in one pass and without recursion.
///
/// # Errors
/// [`Refused`] when there are too many, or a string holds U+0000.
pub fn check_text(text: &str) -> Result<(), Refused> {
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0_usize, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            0 => return Err(Refused::Nul),
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += bytes[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(bytes.len() - at);
                continue;
            }
            b'"' => at = end_of_string(bytes, at)?,
            b'{' | b'[' | b'(' => {
                nesting += 1;
                if nesting > MAX_NESTING {
                    return Err(too_much("levels", MAX_NESTING));
                }
                at += 1;
            }
            b'}' | b']' | b')' => {
                nesting = nesting.saturating_sub(1);
                at += 1;
            }
            byte if is_word(byte) => at += bytes[at..].iter().take_while(|byte| is_word(**byte)).count(),
            _ => at += 1,
        }
        tokens += 1;
        if tokens > MAX_TOKENS {
            return Err(too_much("tokens", MAX_TOKENS));
        }
    }
    Ok(())
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-') || byte >= 0x80
}

/// The place behind the string that begins at `start`; the end of the text where it is never closed.
fn end_of_string(bytes: &[u8], start: usize) -> Result<usize, Refused> {
    let block = bytes[start..].starts_with(b"\"\"\"");
    let mut at = start + if block { 3 } else { 1 };
    while at < bytes.len() {
        let rest = &bytes[at..];
        match rest[0] {
            0 => return Err(Refused::Nul),
            b'\\' if block && rest.starts_with(b"\\\"\"\"") => at += 4,
            b'\\' if !block => {
                if rest.starts_with(b"\\u0000") || rest.starts_with(b"\\u{0}") {
                    return Err(Refused::Nul);
                }
                at += 2;
            }
            b'"' if !block => return Ok(at + 1),
            b'"' if rest.starts_with(b"\"\"\"") => return Ok(at + 3),
            b'\n' if !block => return Ok(at + 1),
            _ => at += 1,
        }
    }
    Ok(bytes.len())
}

/// Whether a value, such as a variable's, holds U+0000 anywhere. The JSON it came from is bounded in depth.
///
/// # Errors
/// [`Refused::Nul`].
pub fn check_value(value: &Value) -> Result<(), Refused> {
    match value {
        Value::String(text) if text.contains('\0') => Err(Refused::Nul),
        Value::List(items) => items.iter().try_for_each(check_value),
        Value::Object(fields) => fields.values().try_for_each(check_value),
        _ => Ok(()),
    }
}

/// What a selection set amounts to with its fragments expanded.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    depth: usize,
    levels: usize,
    fields: usize,
    aliases: usize,
    directives: usize,
}

enum Measured {
    Running,
    Done(Size),
}

/// Measures a parsed document.
///
/// # Errors
/// [`Refused`] names the first limit that is broken.
pub fn check_document(document: &ExecutableDocument) -> Result<(), Refused> {
    let mut fragments = HashMap::new();
    let mut total = Size::default();
    for (_, operation) in document.operations.iter() {
        total.directives += operation.node.directives.len();
        let size = measure(document, &operation.node.selection_set.node, 0, &mut fragments)?;
        total = total.beside(size);
    }
    // A fragment that no operation spreads is validated too, so it counts too.
    for name in document.fragments.keys() {
        let size = measure_fragment(document, name, 0, &mut fragments)?;
        total.depth = total.depth.max(size.depth);
        total.levels = total.levels.max(size.levels);
        total.fields = total.fields.max(size.fields);
    }
    for (found, what, limit) in [
        (total.depth, "levels of fields", MAX_DEPTH),
        (total.levels, "levels", MAX_LEVELS),
        (total.fields, "fields", MAX_FIELDS),
        (total.aliases, "aliases", MAX_ALIASES),
        (total.directives, "directives", MAX_DIRECTIVES),
    ] {
        if found > limit {
            return Err(too_much(what, limit));
        }
    }
    Ok(())
}

impl Size {
    fn beside(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            levels: self.levels.max(other.levels),
            fields: self.fields.saturating_add(other.fields),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
        }
    }
}

fn measure<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    level: usize,
    fragments: &mut HashMap<&'a Name, Measured>,
) -> Result<Size, Refused> {
    if level > MAX_LEVELS {
        return Err(too_much("levels", MAX_LEVELS));
    }
    let mut total = Size::default();
    for selection in &set.items {
        let mut size = match &selection.node {
            Selection::Field(field) => {
                let mut size = measure(document, &field.node.selection_set.node, level + 1, fragments)?;
                size.depth += 1;
                size.fields = size.fields.saturating_add(1);
                size.aliases = size.aliases.saturating_add(usize::from(field.node.alias.is_some()));
                size
            }
            Selection::InlineFragment(inline) => {
                measure(document, &inline.node.selection_set.node, level + 1, fragments)?
            }
            Selection::FragmentSpread(spread) => {
                measure_fragment(document, &spread.node.fragment_name.node, level + 1, fragments)?
            }
        };
        size.levels += 1;
        let directives: &[Positioned<Directive>] = match &selection.node {
            Selection::Field(field) => &field.node.directives,
            Selection::InlineFragment(inline) => &inline.node.directives,
            Selection::FragmentSpread(spread) => &spread.node.directives,
        };
        size.directives = size.directives.saturating_add(directives.len());
        total = total.beside(size);
    }
    Ok(total)
}

fn measure_fragment<'a>(
    document: &'a ExecutableDocument,
    name: &'a Name,
    level: usize,
    fragments: &mut HashMap<&'a Name, Measured>,
) -> Result<Size, Refused> {
    match fragments.get(name) {
        Some(Measured::Done(size)) => return Ok(*size),
        Some(Measured::Running) => return Err(Refused::Cycle(name.to_string())),
        None => {}
    }
    let Some((name, fragment)) = document.fragments.get_key_value(name) else { return Ok(Size::default()) };
    fragments.insert(name, Measured::Running);
    let mut size = measure(document, &fragment.node.selection_set.node, level, fragments)?;
    size.directives = size.directives.saturating_add(fragment.node.directives.len());
    fragments.insert(name, Measured::Done(size));
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;

    fn check(text: &str) -> Result<(), Refused> {
        check_text(text)?;
        check_document(&parse_query(text).expect("the document parses"))
    }

    #[test]
    fn a_document_of_common_size_passes() {
        assert_eq!(
            check("{ order(number: \"R-1 } \\\" {\") { id lines { ...L } } } fragment L on OrderLine { id }"),
            Ok(())
        );
        assert_eq!(check("query # { { {\n { a }"), Ok(()));
    }

    #[test]
    fn a_thousand_levels_never_reach_the_parser() {
        for (open, close) in [("{a", "}"), ("{a(b:[", "])}"), ("{a(b:{c:", "})}")] {
            let text = open.repeat(1_000) + &close.repeat(1_000);
            assert_eq!(check_text(&text), Err(too_much("levels", MAX_NESTING)));
        }
    }

    #[test]
    fn seventeen_levels_of_fields_are_too_many() {
        let nested = |levels: usize| "{a".repeat(levels) + &"}".repeat(levels);
        assert_eq!(check(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(check(&nested(MAX_DEPTH + 1)), Err(too_much("levels of fields", MAX_DEPTH)));
    }

    #[test]
    fn tokens_aliases_and_directives_are_counted() {
        let many = |entry: &str, times: usize| format!("{{ {} }}", entry.repeat(times));
        assert_eq!(check_text(&many("a ", MAX_TOKENS)), Err(too_much("tokens", MAX_TOKENS)));
        assert_eq!(check(&many("a: __typename ", MAX_ALIASES + 1)), Err(too_much("aliases", MAX_ALIASES)));
        let directives = format!("{{ a {} }}", "@b ".repeat(MAX_DIRECTIVES + 1));
        assert_eq!(check(&directives), Err(too_much("directives", MAX_DIRECTIVES)));
    }

    #[test]
    fn fragments_that_multiply_each_other_are_refused_without_walking_them() {
        let mut text = "{ ...f0 }".to_owned();
        for index in 0..25 {
            text += &format!(" fragment f{index} on Query {{ ...f{} ...f{} }}", index + 1, index + 1);
        }
        text += " fragment f25 on Query { __typename }";
        assert_eq!(check(&text), Err(too_much("fields", MAX_FIELDS)));
    }

    #[test]
    fn a_fragment_that_spreads_itself_is_refused() {
        let text = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }";
        assert!(matches!(check(text), Err(Refused::Cycle(_))));
        let chain: String = (0..200).map(|index| format!("fragment f{index} on Q {{ ...f{} }} ", index + 1)).collect();
        assert_eq!(check(&format!("{{ ...f0 }} {chain}")), Err(too_much("levels", MAX_LEVELS)));
    }

    #[test]
    fn text_with_u_0000_is_refused() {
        assert_eq!(check_text("{ order(number: \"a\\u0000\") { id } }"), Err(Refused::Nul));
        assert_eq!(check_text("{ order(number: \"a\0\") { id } }"), Err(Refused::Nul));
        assert_eq!(check_text("{ order(number: \"a\\\\u0000\") { id } }"), Ok(()));
        let value = Value::List(vec![Value::String("a\0".to_owned())]);
        assert_eq!(check_value(&value), Err(Refused::Nul));
    }
}
