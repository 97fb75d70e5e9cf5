//! What a route takes and answers, in the words of its types.

use crate::pagination::List;
use http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, ToSchema};

/// A schema under its name, as it goes into the document's components.
pub(super) type Named = (String, Value);

/// What a route takes and answers.
#[derive(Debug, Clone, Default)]
pub struct Doc {
    pub(super) summary: &'static str,
    pub(super) description: Option<&'static str>,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    pub(super) answers: Vec<(u16, Value)>,
    pub(super) problems: Vec<u16>,
    pub(super) schemas: Vec<Named>,
}

impl Doc {
    /// Begins with one line on what the route does.
    #[must_use]
    pub fn new(summary: &'static str) -> Self {
        Self { summary, ..Self::default() }
    }

    /// More than one line on it.
    #[must_use]
    pub fn description(mut self, text: &'static str) -> Self {
        self.description = Some(text);
        self
    }

    /// It reads these query parameters.
    #[must_use]
    pub fn query<Q: IntoParams>(mut self) -> Self {
        let parameters = Q::into_params(|| Some(ParameterIn::Query));
        self.parameters.extend(parameters.iter().filter_map(|parameter| serde_json::to_value(parameter).ok()));
        self
    }

    /// It reads this header.
    #[must_use]
    pub fn header(mut self, name: &'static str, description: &'static str) -> Self {
        self.parameters.push(json!({
            "name": name, "in": "header", "required": false, "description": description, "schema": {"type": "string"}
        }));
        self
    }

    /// It takes an `Idempotency-Key`.
    #[must_use]
    pub fn idempotent(self) -> Self {
        self.header("Idempotency-Key", "1 to 255 visible ASCII characters; a repeat gets the first answer again")
    }

    /// It takes an `If-Match`.
    #[must_use]
    pub fn if_match(self) -> Self {
        self.header("If-Match", "the ETag that the resource must still have").problems(&[412])
    }

    /// It takes a JSON body of this type.
    #[must_use]
    pub fn body<B: ToSchema>(mut self) -> Self {
        let schema = self.reference::<B>();
        self.body = Some(json!({"required": true, "content": {"application/json": {"schema": schema}}}));
        self
    }

    /// It takes a JSON body of this type, or none.
    #[must_use]
    pub fn optional_body<B: ToSchema>(mut self) -> Self {
        let schema = self.reference::<B>();
        self.body = Some(json!({"required": false, "content": {"application/json": {"schema": schema}}}));
        self
    }

    /// It takes a form of this type.
    #[must_use]
    pub fn form<B: ToSchema>(mut self) -> Self {
        let schema = self.reference::<B>();
        self.body =
            Some(json!({"required": true, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}));
        self
    }

    /// It takes lines, each a JSON text of this type.
    #[must_use]
    pub fn lines<B: ToSchema>(mut self) -> Self {
        let schema = self.reference::<B>();
        self.body = Some(json!({"required": true, "content": {crate::ndjson::NDJSON: {"schema": schema}}}));
        self
    }

    /// It takes a body of another media type.
    #[must_use]
    pub fn raw_body(mut self, media_type: &str) -> Self {
        self.body = Some(json!({"required": true, "content": {media_type: {}}}));
        self
    }

    /// It answers this type as JSON.
    #[must_use]
    pub fn answers<A: ToSchema>(mut self, status: u16) -> Self {
        let schema = self.reference::<A>();
        let content = json!({"application/json": {"schema": schema}});
        self.answers.push((status, json!({"description": reason(status), "content": content})));
        self
    }

    /// It answers a page of a list of this type.
    #[must_use]
    pub fn answers_list<A: ToSchema>(mut self) -> Self {
        // The list has no name of its own, so nothing else names the schema that it refers to.
        let _item = self.reference::<A>();
        self.answers::<List<A>>(200)
    }

    /// It answers another media type.
    #[must_use]
    pub fn answers_raw(mut self, status: u16, media_type: &str) -> Self {
        self.answers.push((status, json!({"description": reason(status), "content": {media_type: {}}})));
        self
    }

    /// It answers without a body.
    #[must_use]
    pub fn answers_empty(mut self, status: u16) -> Self {
        self.answers.push((status, json!({"description": reason(status)})));
        self
    }

    /// It answers these problems, besides those that follow from its access, its path and its body.
    #[must_use]
    pub fn problems(mut self, statuses: &[u16]) -> Self {
        self.problems.extend(statuses);
        self
    }

    /// The line on what the route does.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.summary
    }

    /// A reference to the type's schema where it has a name of its own, else the schema itself.
    fn reference<T: ToSchema>(&mut self) -> Value {
        self.schemas.extend(named::<T>());
        let schema = T::schema();
        let generic = std::any::type_name::<T>().contains('<');
        let structured = match &schema {
            RefOr::T(Schema::Object(object)) => !object.properties.is_empty() || object.enum_values.is_some(),
            RefOr::T(Schema::OneOf(_) | Schema::AllOf(_) | Schema::AnyOf(_)) => true,
            _ => false,
        };
        if generic || !structured {
            return serde_json::to_value(&schema).unwrap_or_default();
        }
        let name = T::name().into_owned();
        self.schemas.push((name.clone(), serde_json::to_value(&schema).unwrap_or_default()));
        serde_json::to_value(Ref::from_schema_name(name)).unwrap_or_default()
    }
}

/// The schemas that a type refers to.
pub(super) fn named<T: ToSchema>() -> Vec<Named> {
    let mut schemas = Vec::new();
    T::schemas(&mut schemas);
    // A schema is a plain value, which serde_json cannot fail on.
    schemas.into_iter().map(|(name, schema)| (name, serde_json::to_value(&schema).unwrap_or_default())).collect()
}

fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Answer")
}
