//! What people say about themselves: names and phone numbers, accepted as they are written within reason.

const MAX_NAME_CHARACTERS: usize = 200;
const MAX_PHONE_CHARACTERS: usize = 40;
const MIN_PHONE_DIGITS: usize = 3;

/// The text is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Empty, too long, or with control characters.
    #[error("a name has 1 to {MAX_NAME_CHARACTERS} characters and no control characters")]
    Name,
    /// Not a phone number.
    #[error("a phone number has digits, spaces and + - . / ( ), at most {MAX_PHONE_CHARACTERS} characters")]
    Phone,
}

/// A name, trimmed.
///
/// # Errors
/// [`ProfileError::Name`].
pub fn name(text: &str) -> Result<String, ProfileError> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > MAX_NAME_CHARACTERS || text.chars().any(char::is_control) {
        return Err(ProfileError::Name);
    }
    Ok(text.to_owned())
}

/// A phone number, trimmed and otherwise as written.
///
/// # Errors
/// [`ProfileError::Phone`].
pub fn phone(text: &str) -> Result<String, ProfileError> {
    let text = text.trim();
    let plausible = text.len() <= MAX_PHONE_CHARACTERS
        && text.chars().all(|character| character.is_ascii_digit() || " +-./()".contains(character))
        && text.chars().filter(char::is_ascii_digit).count() >= MIN_PHONE_DIGITS;
    if plausible { Ok(text.to_owned()) } else { Err(ProfileError::Phone) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_phone_numbers_are_trimmed_and_checked() {
        assert_eq!(name("  Ada Lovelace "), Ok("Ada Lovelace".to_owned()));
        assert_eq!(name(" "), Err(ProfileError::Name));
        assert_eq!(name("Ada\nLovelace"), Err(ProfileError::Name));
        assert_eq!(name(&"a".repeat(201)), Err(ProfileError::Name));
        assert_eq!(phone(" +49 (30) 123-45 "), Ok("+49 (30) 123-45".to_owned()));
        assert_eq!(phone("call me"), Err(ProfileError::Phone));
        assert_eq!(phone("++"), Err(ProfileError::Phone));
    }
}
