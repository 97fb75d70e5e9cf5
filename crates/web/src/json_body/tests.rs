use super::*;
use crate::Code;
use axum::body::Body;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Placing {
    items: Vec<Item>,
    note: Option<String>,
    kind: Option<Kind>,
    due: Option<chrono::DateTime<chrono::Utc>>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Item {
    product_id: String,
    quantity: u32,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Gift,
}

#[track_caller]
fn rejected(text: &str, code: Code, pointer: &str) {
    let problem = parse::<Placing>(text.as_bytes()).expect_err(text);
    assert_eq!(problem.code(), code, "{text}: {problem}");
    assert_eq!(problem.errors().first().map_or("", |error| error.pointer.as_str()), pointer, "{text}: {problem}");
}

#[test]
fn a_body_of_the_right_shape_is_read() {
    let placing = parse::<Placing>(br#"{"items":[{"productId":"p","quantity":2}],"kind":"gift"}"#).unwrap();
    assert_eq!(placing.items, [Item { product_id: "p".to_owned(), quantity: 2 }]);
}

#[test]
fn an_unknown_field_is_named_by_its_pointer() {
    rejected(r#"{"items":[],"surprise":1}"#, Code::UnknownField, "/surprise");
    rejected(r#"{"items":[{"productId":"p","quantity":1,"a/b~c":0}]}"#, Code::UnknownField, "/items/0/a~1b~0c");
    rejected(r#"{"items":[{"productId":"p","quantity":1,"items":0}]}"#, Code::UnknownField, "/items/0/items");
}

#[test]
fn a_missing_field_is_a_rule_broken_at_the_pointer_of_the_field() {
    rejected("{}", Code::ValidationFailed, "/items");
    rejected(
        r#"{"items":[{"productId":"p","quantity":1},{"productId":"p"}]}"#,
        Code::ValidationFailed,
        "/items/1/quantity",
    );
}

#[test]
fn a_wrong_type_is_malformed_and_a_wrong_value_breaks_a_rule() {
    rejected(r#"{"items":[{"productId":"p","quantity":"2"}]}"#, Code::MalformedJson, "/items/0/quantity");
    rejected(r#"{"items":[{"productId":"p","quantity":1.5}]}"#, Code::MalformedJson, "/items/0/quantity");
    rejected(r#"{"items":[{"productId":null,"quantity":1}]}"#, Code::MalformedJson, "/items/0/productId");
    rejected(r#"{"items":{}}"#, Code::MalformedJson, "/items");
    rejected("[]", Code::MalformedJson, "");
    rejected("null", Code::MalformedJson, "");
    rejected(r#"{"items":[],"items":[]}"#, Code::MalformedJson, "/items");
    rejected(r#"{"items":[{"productId":"p","quantity":-1}]}"#, Code::ValidationFailed, "/items/0/quantity");
    rejected(r#"{"items":[{"productId":"p","quantity":5000000000}]}"#, Code::ValidationFailed, "/items/0/quantity");
    rejected(r#"{"items":[],"kind":"theft"}"#, Code::ValidationFailed, "/kind");
    rejected(r#"{"items":[],"due":"tomorrow"}"#, Code::ValidationFailed, "/due");
}

#[test]
fn an_array_never_passes_for_an_object() {
    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Outer {
        inner: Option<Inner>,
        all: Vec<Inner>,
        by_name: std::collections::BTreeMap<String, Inner>,
        shape: Option<Shape>,
    }
    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        name: String,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Shape {
        Round { radius: u32 },
        Flat(Inner),
    }
    for (text, pointer) in [
        ("[]", ""),
        (r#"{"inner":["x"]}"#, "/inner"),
        (r#"{"all":[{"name":"x"},["x"]]}"#, "/all/1"),
        (r#"{"by_name":{"a":["x"]}}"#, "/by_name/a"),
        (r#"{"shape":{"round":[1]}}"#, "/shape/round"),
        (r#"{"shape":{"flat":["x"]}}"#, "/shape/flat"),
    ] {
        let problem = parse::<Outer>(text.as_bytes()).expect_err(text);
        assert_eq!(problem.code(), Code::MalformedJson, "{problem}");
        assert_eq!(problem.errors()[0].pointer, pointer, "{problem}");
    }
    let good = r#"{"inner":{"name":"x"},"all":[{}],"by_name":{"a":{}},"shape":{"round":{"radius":1}}}"#;
    let outer = parse::<Outer>(good.as_bytes()).unwrap();
    assert_eq!(outer.shape, Some(Shape::Round { radius: 1 }));
    assert_eq!(outer.all, [Inner::default()]);
    let raw = parse::<Box<serde_json::value::RawValue>>(br#"{"a": [1]}"#).unwrap();
    assert_eq!(raw.get(), r#"{"a": [1]}"#);
}

#[test]
fn what_is_no_json_is_malformed() {
    for text in
        ["", " ", "{", "{\"items\":[]", "{\"items\":[]}x", "{'items':[]}", "\u{feff}{}", "{\"items\":[],}", "NaN"]
    {
        rejected(text, Code::MalformedJson, "");
    }
    assert_eq!(parse::<Placing>(b"{\"note\":\"\xff\"}").unwrap_err().code(), Code::MalformedJson);
}

#[test]
fn deep_nesting_is_refused_and_does_not_exhaust_the_stack() {
    for text in ["[".repeat(500_000), "{\"items\":".repeat(100_000), "{\"x\":".repeat(200_000)] {
        let problem = parse::<serde_json::Value>(text.as_bytes()).unwrap_err();
        assert_eq!(problem.code(), Code::MalformedJson);
    }
}

#[test]
fn the_null_character_is_refused_wherever_it_hides() {
    rejected(r#"{"items":[],"note":"a\u0000b"}"#, Code::MalformedJson, "/note");
    rejected(r#"{"items":[{"productId":"\\\u0000","quantity":1}]}"#, Code::MalformedJson, "/items/0/productId");
    rejected(r#"{"items":[],"no\u0000te":""}"#, Code::MalformedJson, "");
    let escaped_backslash = parse::<Placing>(br#"{"items":[],"note":"\\u0000"}"#).unwrap();
    assert_eq!(escaped_backslash.note.as_deref(), Some("\\u0000"));
}

#[test]
fn an_identifier_of_the_wrong_form_is_an_invalid_id() {
    #[derive(Debug)]
    struct Id;
    impl<'de> Deserialize<'de> for Id {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            String::deserialize(deserializer)?;
            Err(serde::de::Error::custom("expected an id that starts with `prod_`, or a bare UUID"))
        }
    }
    let problem = parse::<Vec<Id>>(b"[\"ord_1\"]").unwrap_err();
    assert_eq!(problem.code(), Code::InvalidId);
    assert_eq!(problem.errors()[0].pointer, "/0");
}

#[test]
fn only_json_is_taken_as_json() {
    let check = |text: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, text.parse().unwrap());
        expect_json(&headers).is_ok()
    };
    for text in ["application/json", "Application/JSON; charset=UTF-8", "application/merge-patch+json"] {
        assert!(check(text), "{text}");
    }
    for text in ["text/plain", "application/xml", "application/jsonp", "application/json; charset=latin1", "json", ""] {
        assert!(!check(text), "{text}");
    }
    assert!(expect_json(&HeaderMap::new()).is_err());
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit() {
    assert_eq!(read_limited(Body::from(vec![b'x'; 10]), 10).await.unwrap().len(), 10);
    let problem = read_limited(Body::from(vec![b'x'; 11]), 10).await.unwrap_err();
    assert_eq!(problem.code(), Code::BodyTooLarge);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_malformed() {
    let frames: Vec<Result<Bytes, std::io::Error>> =
        vec![Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("gone"))];
    let body = Body::from_stream(futures_util::stream::iter(frames));
    assert_eq!(read_limited(body, 10).await.unwrap_err().code(), Code::MalformedJson);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*") {
        drop(parse::<Placing>(text.as_bytes()));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(parse::<Placing>(&bytes));
    }
}
