//! The text form of identifiers: TypeID, spec 0.3 (<https://github.com/jetify-com/typeid>): a prefix, an
//! underscore, and the 128 bits of a UUID in 26 characters of Crockford's base 32, lower case.

use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LENGTH: usize = 26;

/// Why a text is no identifier of the wanted type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The prefix is that of another type, or none at all.
    #[error("expected an id that starts with `{expected}_`, or a bare UUID")]
    WrongPrefix {
        /// The prefix of the type that was asked for.
        expected: &'static str,
    },
    /// The part behind the prefix is not 26 characters of base 32 within 128 bits.
    #[error("the part behind `{expected}_` is not 26 characters of base 32 (0-9, a-z without i, l, o, u)")]
    Malformed {
        /// The prefix of the type that was asked for.
        expected: &'static str,
    },
}

/// Encodes a UUID as the suffix of a TypeID.
#[must_use]
pub fn encode(uuid: Uuid) -> String {
    let mut value = uuid.as_u128();
    let mut text = [0_u8; SUFFIX_LENGTH];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    text.iter().map(|byte| char::from(*byte)).collect()
}

/// Decodes the suffix of a TypeID; `None` unless it is exactly what [`encode`] would write.
#[must_use]
pub fn decode(suffix: &str) -> Option<Uuid> {
    if suffix.len() != SUFFIX_LENGTH || suffix.as_bytes()[0] > b'7' {
        return None;
    }
    let mut value = 0_u128;
    for byte in suffix.bytes() {
        let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
        value = (value << 5) | digit as u128;
    }
    Some(Uuid::from_u128(value))
}

/// Parses `prefix_suffix`, or a bare UUID where the place says which type it is.
///
/// # Errors
/// [`IdError`] says whether the prefix or the rest is wrong.
pub fn parse(text: &str, prefix: &'static str) -> Result<Uuid, IdError> {
    if let Some((found, suffix)) = text.split_once('_') {
        if found != prefix {
            return Err(IdError::WrongPrefix { expected: prefix });
        }
        return decode(suffix).ok_or(IdError::Malformed { expected: prefix });
    }
    if text.len() == 36
        && let Ok(uuid) = Uuid::try_parse(text)
    {
        return Ok(uuid);
    }
    Err(IdError::WrongPrefix { expected: prefix })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_vectors_of_the_specification_hold() {
        for (suffix, uuid) in [
            ("00000000000000000000000000", "00000000-0000-0000-0000-000000000000"),
            ("00000000000000000000000001", "00000000-0000-0000-0000-000000000001"),
            ("0000000000000000000000000a", "00000000-0000-0000-0000-00000000000a"),
            ("0000000000000000000000000g", "00000000-0000-0000-0000-000000000010"),
            ("00000000000000000000000010", "00000000-0000-0000-0000-000000000020"),
            ("7zzzzzzzzzzzzzzzzzzzzzzzzz", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
            ("0123456789abcdefghjkmnpqrs", "0110c853-1d09-52d8-d73e-1194e95b5f19"),
            ("01h455vb4pex5vsknk084sn02q", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ] {
            let uuid = Uuid::parse_str(uuid).unwrap();
            assert_eq!(encode(uuid), suffix);
            assert_eq!(decode(suffix), Some(uuid));
        }
    }

    #[test]
    fn what_is_no_typeid_is_refused() {
        for suffix in [
            "",
            "0",
            "8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "01h455vb4pex5vsknk084sn02",
            "01H455VB4PEX5VSKNK084SN02Q",
            "01h455vb4pex5vsknk084sn0il",
            "01h455vb4pex5vsknk084sn02-",
        ] {
            assert_eq!(decode(suffix), None, "{suffix}");
        }
        assert_eq!(parse("usr_01h455vb4pex5vsknk084sn02q", "ord"), Err(IdError::WrongPrefix { expected: "ord" }));
        assert_eq!(parse("ord_zz", "ord"), Err(IdError::Malformed { expected: "ord" }));
        assert_eq!(parse("R-000000001", "ord"), Err(IdError::WrongPrefix { expected: "ord" }));
    }

    proptest! {
        #[test]
        fn every_uuid_survives_its_text(value: u128) {
            let uuid = Uuid::from_u128(value);
            prop_assert_eq!(decode(&encode(uuid)), Some(uuid));
            prop_assert_eq!(parse(&uuid.to_string(), "ord"), Ok(uuid));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = parse(&text, "ord");
        }
    }
}
