//! Where two JSON documents differ, for people.

use serde_json::Value;

const LONGEST: usize = 120;

/// Where a stored document differs from what it should be; none where both say the same. Bytes that are alike need no
/// closer look.
pub fn between(expected: &[u8], found: &[u8]) -> Option<String> {
    if expected == found {
        return None;
    }
    let (Ok(expected), Ok(found)) = (serde_json::from_slice::<Value>(expected), serde_json::from_slice::<Value>(found))
    else {
        return Some("is no JSON".to_owned());
    };
    first("", &expected, &found)
}

fn first(path: &str, expected: &Value, found: &Value) -> Option<String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let gone = expected.iter().find_map(|(name, expected)| {
                let found = found.get(name).unwrap_or(&Value::Null);
                first(&format!("{path}/{name}"), expected, found)
            });
            gone.or_else(|| {
                let more = found.iter().find(|(name, found)| !expected.contains_key(*name) && !found.is_null())?;
                Some(format!("{path}/{} is {} and should not be there", more.0, short(more.1)))
            })
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.find_map(|(index, (expected, found))| first(&format!("{path}/{index}"), expected, found))
        }
        _ if expected == found => None,
        _ => Some(format!("{path} is {} and should be {}", short(found), short(expected))),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn documents_that_say_the_same_do_not_differ_however_they_are_written() {
        assert_eq!(between(br#"{"a":1,"b":[true]}"#, br#"{ "b": [true], "a": 1 }"#), None);
        assert_eq!(between(br#"{"a":null}"#, b"{}"), None);
    }

    #[test]
    fn the_first_difference_is_named_with_its_place() {
        let told = between(br#"{"a":{"b":[1,2]}}"#, br#"{"a":{"b":[1,3]}}"#);
        assert_eq!(told.as_deref(), Some("/a/b/1 is 3 and should be 2"));
        assert!(between(br#"{"a":[1]}"#, br#"{"a":[1,2]}"#).is_some());
        assert!(between(b"{}", br#"{"a":1}"#).unwrap().contains("/a"));
        assert!(between(b"{}", b"{").is_some());
    }
}
