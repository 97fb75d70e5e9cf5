//! The document of the API, as generators of clients read it.

use crate::system::shared;
use serde_json::Value;

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = shared().get("/openapi.json").expect(200).body;
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 50, "only {} references", references.len());
    let dangling: Vec<&str> = references
        .into_iter()
        .filter(|reference| {
            let path = reference.strip_prefix('#').expect("a reference within the document");
            document.pointer(path).is_none()
        })
        .collect();
    assert!(dangling.is_empty(), "{dangling:?}");
}

fn collect_references<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| collect_references(field, into));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, into)),
        _ => {}
    }
}
