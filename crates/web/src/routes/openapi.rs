//! The OpenAPI 3.1 document, built from the route table alone: what is not in the table is not in the document, and
//! what is in the table is documented with its parameters, security and problems.

use super::RouteSpec;
use super::doc::{Named, named};
use crate::problem::{PROBLEM_JSON, ProblemBody};
use crate::{Access, Scope};
use http::Method;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::PartialSchema as _;

/// The document of these routes.
#[must_use]
pub fn openapi(title: &str, specs: &[RouteSpec]) -> Value {
    let mut components = Components::default();
    let mut problem_schemas = named::<ProblemBody>();
    problem_schemas.push(("Problem".to_owned(), serde_json::to_value(ProblemBody::schema()).unwrap_or_default()));
    components.add("", &problem_schemas);

    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for spec in specs {
        let renamed = components.add(spec.tag, &spec.doc.schemas);
        let operation = rename(operation(spec), &renamed);
        paths
            .entry(spec.path.replace("{*", "{"))
            .or_default()
            .insert(spec.method.as_str().to_ascii_lowercase(), operation);
    }
    let tags: BTreeSet<_> = specs.iter().map(|spec| spec.tag).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": tags.iter().map(|tag| json!({"name": tag})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": components.schemas,
            "responses": {"Problem": {
                "description": "A problem per RFC 9457",
                "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }},
            "securitySchemes": security_schemes(),
        },
    })
}

/// The schemas of all routes. Two services may have types of one name: the later one then carries its service's.
#[derive(Default)]
struct Components {
    schemas: BTreeMap<String, Value>,
}

impl Components {
    fn add(&mut self, tag: &str, named: &[Named]) -> BTreeMap<String, String> {
        let mut renamed = BTreeMap::new();
        let mut fresh: BTreeMap<&str, Value> = BTreeMap::new();
        for (name, schema) in named {
            fresh.insert(name, schema.clone());
        }
        for (name, schema) in &fresh {
            if self.schemas.get(*name).is_some_and(|present| present != schema) {
                renamed.insert((*name).to_owned(), format!("{}{name}", pascal(tag)));
            }
        }
        for (name, schema) in fresh {
            let target = renamed.get(name).map_or(name, String::as_str).to_owned();
            self.schemas.insert(target, rename(schema, &renamed));
        }
        renamed
    }
}

/// Points the references of a schema or operation at the new names.
fn rename(value: Value, renamed: &BTreeMap<String, String>) -> Value {
    if renamed.is_empty() {
        return value;
    }
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, field)| {
                    let target = (key == "$ref")
                        .then(|| field.as_str()?.strip_prefix("#/components/schemas/"))
                        .flatten()
                        .and_then(|name| renamed.get(name));
                    let field = match target {
                        Some(name) => json!(format!("#/components/schemas/{name}")),
                        None => rename(field, renamed),
                    };
                    (key, field)
                })
                .collect(),
        ),
        Value::Array(items) => items.into_iter().map(|item| rename(item, renamed)).collect(),
        other => other,
    }
}

fn operation(spec: &RouteSpec) -> Value {
    let names = parameter_names(&spec.path);
    let path_parameters =
        names.iter().map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
    let parameters: Vec<Value> = path_parameters.chain(spec.doc.parameters.iter().cloned()).collect();

    let mut responses = Map::new();
    for (status, answer) in &spec.doc.answers {
        responses.insert(status.to_string(), answer.clone());
    }
    let mut problems: BTreeSet<u16> = spec.doc.problems.iter().copied().collect();
    problems.extend([401, 503]);
    if spec.access.scope().is_some() {
        problems.insert(403);
    }
    if !names.is_empty() {
        problems.extend([400, 404]);
    }
    if !spec.doc.parameters.is_empty() {
        problems.insert(400);
    }
    if spec.doc.body.is_some() {
        problems.extend([400, 413, 415, 422]);
    }
    for status in problems {
        let problem = || json!({"$ref": "#/components/responses/Problem"});
        responses.entry(status.to_string()).or_insert_with(problem);
    }

    let mut operation = json!({
        "operationId": operation_id(&spec.method, &spec.path),
        "tags": [spec.tag],
        "summary": spec.doc.summary,
        "parameters": parameters,
        "responses": responses,
        "security": security(spec.access),
    });
    let description = match (&spec.alias_of, spec.doc.description) {
        (Some(main), _) => Some(format!("Alias of `{main}`.")),
        (None, description) => description.map(ToOwned::to_owned),
    };
    if let Some(description) = description {
        operation["description"] = json!(description);
    }
    if let Some(body) = &spec.doc.body {
        operation["requestBody"] = body.clone();
    }
    operation
}

fn parameter_names(path: &str) -> Vec<&str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_start_matches('*'))
        .collect()
}

/// `POST /api/orders/{id}/cancel` → `postApiOrdersIdCancel`.
fn operation_id(method: &Method, path: &str) -> String {
    format!("{}{}", method.as_str().to_ascii_lowercase(), pascal(path))
}

fn pascal(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

fn security(access: Access) -> Value {
    let bearer = |scopes: &[&str]| json!({"oauth": scopes});
    match access {
        Access::Public => json!([]),
        Access::ClientAuth => json!([{"clientBasic": []}, {}]),
        Access::Any => json!([bearer(&[])]),
        Access::Staff(scope) => json!([bearer(&[scope.as_str()])]),
        Access::Scope(scope) | Access::Internal(scope) | Access::StaffOrInternal(scope) => {
            json!([bearer(&[scope.as_str()]), {"serviceToken": []}])
        }
    }
}

fn security_schemes() -> Value {
    let scopes: BTreeMap<_, _> = Scope::ALL.iter().map(|scope| (scope.as_str(), scope.description())).collect();
    json!({
        "oauth": {
            "type": "oauth2",
            "description": "`Authorization: Bearer <access token>`",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": "/oauth/authorize", "tokenUrl": "/oauth/token",
                    "refreshUrl": "/oauth/token", "scopes": scopes,
                },
                "clientCredentials": {"tokenUrl": "/oauth/token", "scopes": scopes},
            },
        },
        "serviceToken": {
            "type": "apiKey", "in": "header", "name": "X-Service-Token",
            "description": "Between our own services, where INTERNAL_SERVICE_TOKEN is set",
        },
        "clientBasic": {"type": "http", "scheme": "basic", "description": "An OAuth client's id and secret"},
    })
}
