//! Completes what the executor answers: it leaves out fields that failed and lists the others as they came in. Here
//! every selected field is present in the order it was asked for, a field that failed is null, and where its type
//! allows no null the nearest parent that may be null is.

use async_graphql::{
    Name, PathSegment, Pos, Positioned, ServerError, Value,
    indexmap::IndexMap,
    parser::{
        parse_schema,
        types::{
            BaseType, Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection,
            SelectionSet, Type, TypeKind, TypeSystemDefinition,
        },
    },
};
use serde_json::{Map, Value as Json};
use std::collections::{HashMap, HashSet};

/// Under which name the executor is asked for the type of what an interface stands for.
const TYPE_OF: &str = "typeOfWhatStandsHere";
const ROOT: &str = "Query";

/// The types of the schema, as far as answers are concerned.
pub struct Shapes {
    objects: HashMap<String, Shape>,
}

struct Shape {
    fields: HashMap<String, Type>,
    interfaces: Vec<String>,
    is_interface: bool,
}

/// A null where the type allows none: the parent becomes null.
struct Bubble;

impl Shapes {
    /// Reads the schema's definition.
    #[must_use]
    pub fn of(sdl: &str) -> Self {
        let definitions = parse_schema(sdl).map(|document| document.definitions).unwrap_or_default();
        let objects = definitions.into_iter().filter_map(|definition| {
            let TypeSystemDefinition::Type(definition) = definition else { return None };
            let name = definition.node.name.node.to_string();
            let (fields, implements, is_interface) = match definition.node.kind {
                TypeKind::Object(object) => (object.fields, object.implements, false),
                TypeKind::Interface(interface) => (interface.fields, interface.implements, true),
                TypeKind::Scalar | TypeKind::Union(_) | TypeKind::Enum(_) | TypeKind::InputObject(_) => return None,
            };
            let fields =
                fields.into_iter().map(|field| (field.node.name.node.to_string(), field.node.ty.node)).collect();
            let interfaces = implements.into_iter().map(|name| name.node.to_string()).collect();
            Some((name, Shape { fields, interfaces, is_interface }))
        });
        Self { objects: objects.collect() }
    }

    /// Has the executor name the type wherever an interface stands.
    pub fn ask_for_types(&self, document: &mut ExecutableDocument) {
        match &mut document.operations {
            DocumentOperations::Single(operation) => self.ask_in(ROOT, &mut operation.node.selection_set.node),
            DocumentOperations::Multiple(operations) => {
                for operation in operations.values_mut() {
                    self.ask_in(ROOT, &mut operation.node.selection_set.node);
                }
            }
        }
        for fragment in document.fragments.values_mut() {
            let on = fragment.node.type_condition.node.on.node.to_string();
            self.ask_in(&on, &mut fragment.node.selection_set.node);
        }
    }

    fn ask_in(&self, parent: &str, set: &mut SelectionSet) {
        for selection in &mut set.items {
            match &mut selection.node {
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref().map(|condition| condition.node.on.node.to_string());
                    self.ask_in(on.as_deref().unwrap_or(parent), &mut inline.node.selection_set.node);
                }
                Selection::Field(field) => {
                    let Some(of) = self.field(parent, &field.node.name.node).map(base) else { continue };
                    let of = of.to_owned();
                    self.ask_in(&of, &mut field.node.selection_set.node);
                    if self.objects.get(&of).is_some_and(|shape| shape.is_interface) {
                        field.node.selection_set.node.items.push(type_name(selection.pos));
                    }
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn field(&self, parent: &str, name: &str) -> Option<&Type> {
        self.objects.get(parent)?.fields.get(name)
    }

    /// The data of an answer, completed.
    #[must_use]
    pub fn complete(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Map<String, Json>,
        data: Value,
        errors: &[ServerError],
    ) -> Value {
        let completion = Completion { shapes: self, document, operation, variables, errors };
        let mut path = Vec::new();
        completion.object(ROOT, data, &[&operation.selection_set.node], &mut path).unwrap_or(Value::Null)
    }
}

/// The name of the type at the bottom of lists.
fn base(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => base(inner),
    }
}

fn type_name(pos: Pos) -> Positioned<Selection> {
    let field = Field {
        alias: Some(Positioned::new(Name::new(TYPE_OF), pos)),
        name: Positioned::new(Name::new("__typename"), pos),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet::default(), pos),
    };
    Positioned::new(Selection::Field(Positioned::new(field, pos)), pos)
}

struct Completion<'a> {
    shapes: &'a Shapes,
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Map<String, Json>,
    errors: &'a [ServerError],
}

type Selected<'a> = IndexMap<&'a str, (&'a str, Vec<&'a SelectionSet>)>;

impl<'a> Completion<'a> {
    fn object(
        &self,
        type_name: &str,
        value: Value,
        sets: &[&'a SelectionSet],
        path: &mut Vec<PathSegment>,
    ) -> Result<Value, Bubble> {
        let mut found = match value {
            Value::Object(found) => found,
            // The executor's answer for an object all of whose fields failed.
            _ if self.failed_below(path) => IndexMap::new(),
            _ => return Ok(Value::Null),
        };
        let named = match found.swap_remove(TYPE_OF) {
            Some(Value::String(name)) => name,
            _ => type_name.to_owned(),
        };
        let mut selected = Selected::new();
        for set in sets {
            self.collect(&named, set, &mut selected, &mut HashSet::new());
        }
        let mut complete = IndexMap::with_capacity(selected.len());
        for (key, (field, sets)) in selected {
            let value = found.swap_remove(key).unwrap_or_default();
            let value = match self.shapes.field(&named, field) {
                Some(of) => {
                    path.push(PathSegment::Field(key.to_owned()));
                    let value = self.value(of, value, &sets, path);
                    path.pop();
                    value?
                }
                // `__typename` and introspection: the executor's own.
                None => value,
            };
            complete.insert(Name::new(key), value);
        }
        Ok(Value::Object(complete))
    }

    fn value(
        &self,
        of: &Type,
        value: Value,
        sets: &[&'a SelectionSet],
        path: &mut Vec<PathSegment>,
    ) -> Result<Value, Bubble> {
        let value = match (&of.base, value) {
            (BaseType::Named(name), value) if self.shapes.objects.contains_key(name.as_str()) => {
                self.object(name, value, sets, path).unwrap_or(Value::Null)
            }
            (BaseType::List(inner), Value::List(items)) => {
                let mut complete = Vec::with_capacity(items.len());
                let items = items.into_iter().enumerate().try_for_each(|(index, item)| {
                    path.push(PathSegment::Index(index));
                    let item = self.value(inner, item, sets, path);
                    path.pop();
                    complete.push(item?);
                    Ok::<(), Bubble>(())
                });
                items.map_or(Value::Null, |()| Value::List(complete))
            }
            (_, value) => value,
        };
        if value == Value::Null && !of.nullable { Err(Bubble) } else { Ok(value) }
    }

    fn failed_below(&self, path: &[PathSegment]) -> bool {
        self.errors.iter().any(|error| error.path.len() > path.len() && error.path.starts_with(path))
    }

    fn collect(
        &self,
        type_name: &str,
        set: &'a SelectionSet,
        selected: &mut Selected<'a>,
        visited: &mut HashSet<&'a str>,
    ) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if self.included(&field.node.directives) => {
                    let entry = selected
                        .entry(field.node.response_key().node.as_str())
                        .or_insert_with(|| (field.node.name.node.as_str(), Vec::new()));
                    entry.1.push(&field.node.selection_set.node);
                }
                Selection::InlineFragment(inline) if self.included(&inline.node.directives) => {
                    let on = inline.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    if on.is_none_or(|on| self.applies(on, type_name)) {
                        self.collect(type_name, &inline.node.selection_set.node, selected, visited);
                    }
                }
                Selection::FragmentSpread(spread) if self.included(&spread.node.directives) => {
                    let name = spread.node.fragment_name.node.as_str();
                    let Some(fragment) = self.document.fragments.get(name) else { continue };
                    if visited.insert(name) && self.applies(&fragment.node.type_condition.node.on.node, type_name) {
                        self.collect(type_name, &fragment.node.selection_set.node, selected, visited);
                    }
                }
                Selection::Field(_) | Selection::InlineFragment(_) | Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn applies(&self, on: &str, type_name: &str) -> bool {
        let shape = self.shapes.objects.get(type_name);
        on == type_name || shape.is_some_and(|shape| shape.interfaces.iter().any(|interface| interface == on))
    }

    /// Whether `@skip` and `@include` let a selection stand.
    fn included(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let condition = || {
                let value = directive.node.get_argument("if").map(|value| value.node.clone());
                let value = value.map(|value| value.into_const_with(|name| Ok::<_, Bubble>(self.variable(&name))));
                matches!(value, Some(Ok(Value::Boolean(true))))
            };
            match directive.node.name.node.as_str() {
                "skip" => !condition(),
                "include" => condition(),
                _ => true,
            }
        })
    }

    /// A variable that decides whether something is included: as it was given, or its default.
    fn variable(&self, name: &Name) -> Value {
        if let Some(given) = self.variables.get(name.as_str()) {
            return given.as_bool().map_or(Value::Null, Value::Boolean);
        }
        let definitions = self.operation.variable_definitions.iter().map(|definition| &definition.node);
        let default =
            definitions.filter(|found| found.name.node == *name).find_map(|found| found.default_value.as_ref());
        default.map_or(Value::Null, |default| default.node.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;

    const SDL: &str = "interface Node { id: ID! }
        type Order implements Node { id: ID! total: Int! note: String lines: [Line!]! other: Order }
        type Line { name: String! product: Order }
        type Query { order: Order strict: Order! node: Node a: Int b: Int }";

    fn complete(query: &str, data: Json, failed: &[&[&str]]) -> String {
        let document = parse_query(query).unwrap();
        let errors: Vec<_> = failed
            .iter()
            .map(|path| {
                let path = path.iter().map(|part| match part.parse() {
                    Ok(index) => PathSegment::Index(index),
                    Err(_) => PathSegment::Field((*part).to_owned()),
                });
                ServerError { path: path.collect(), ..ServerError::new("failed", None) }
            })
            .collect();
        let (_, operation) = document.operations.iter().next().unwrap();
        let data = Value::from_json(data).unwrap();
        let variables = serde_json::from_str(r#"{"yes": true}"#).unwrap();
        let done = Shapes::of(SDL).complete(&document, &operation.node, &variables, data, &errors);
        serde_json::to_string(&done).unwrap()
    }

    #[test]
    fn fields_stand_in_the_order_they_were_asked_for() {
        let data = serde_json::json!({"a": 1, "b": 2, "order": {"note": "x", "id": "1"}});
        let query = "query($yes: Boolean!) { b order { note @include(if: $yes) id } ...F x: a @skip(if: $yes) } fragment F on Query { a }";
        assert_eq!(complete(query, data, &[]), r#"{"b":2,"order":{"note":"x","id":"1"},"a":1}"#);
    }

    #[test]
    fn a_field_that_failed_is_null() {
        assert_eq!(
            complete("{ a order { id } }", serde_json::json!({"a": 1}), &[&["order"]]),
            r#"{"a":1,"order":null}"#
        );
        assert_eq!(complete("{ order { id } }", Json::Null, &[&["order"]]), r#"{"order":null}"#);
        let data = serde_json::json!({"order": {"id": "1"}});
        assert_eq!(
            complete("{ order { note id } }", data, &[&["order", "note"]]),
            r#"{"order":{"note":null,"id":"1"}}"#
        );
    }

    #[test]
    fn where_no_null_may_stand_the_parent_is_null() {
        let data = serde_json::json!({"a": 1, "order": {"id": "1"}});
        assert_eq!(complete("{ a order { id total } }", data, &[&["order", "total"]]), r#"{"a":1,"order":null}"#);
        assert_eq!(complete("{ a strict { id } }", serde_json::json!({"a": 1}), &[&["strict"]]), "null");
        let data = serde_json::json!({"order": {"lines": [{"name": "x"}, {"product": null}]}});
        let query = "{ order { lines { name product { id } } } }";
        assert_eq!(complete(query, data, &[&["order", "lines", "1", "name"]]), r#"{"order":null}"#);
    }

    #[test]
    fn behind_an_interface_stands_the_type_that_the_executor_named() {
        let query = "{ node { id ... on Order { note total } ... on Line { name } } }";
        let mut document = parse_query(query).unwrap();
        Shapes::of(SDL).ask_for_types(&mut document);
        let data = serde_json::json!({"node": {"total": 2, "id": "1", TYPE_OF: "Order"}});
        assert_eq!(complete(query, data, &[&["node", "note"]]), r#"{"node":{"id":"1","note":null,"total":2}}"#);
    }
}
