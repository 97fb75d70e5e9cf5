//! One GraphQL request as it comes over HTTP, by POST or by GET.

use super::limits::check_value;
use async_graphql::Variables;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The parameters of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    /// The document.
    pub query: String,
    /// Which of its operations to run.
    pub operation_name: Option<String>,
    /// The values of its variables.
    pub variables: Map<String, Value>,
    /// Whether a persisted query was asked for.
    pub persisted: bool,
}

/// The body of a POST.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// One request.
    Single(Result<Parameters, Malformed>),
    /// Several at once, answered in the same order.
    Batch(Vec<Result<Parameters, Malformed>>),
}

/// Why a request is not well-formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

impl Body {
    /// Reads a body.
    ///
    /// # Errors
    /// [`Malformed`] when it is no JSON, or JSON that is no request.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| Malformed(format!("the body is no JSON: {error}")))?;
        Ok(match value {
            Value::Array(items) => Self::Batch(items.into_iter().map(Parameters::from_json).collect()),
            value => Self::Single(Parameters::from_json(value)),
        })
    }
}

impl Parameters {
    fn from_json(value: Value) -> Result<Self, Malformed> {
        let Value::Object(mut object) = value else {
            return Err(Malformed("a request is a JSON object with `query`".to_owned()));
        };
        let persisted = object.get("extensions").is_some_and(is_persisted);
        let query = match object.remove("query") {
            Some(Value::String(query)) => query,
            None | Some(Value::Null) if persisted => String::new(),
            None | Some(Value::Null) => return Err(Malformed("`query` is missing".to_owned())),
            Some(_) => return Err(Malformed("`query` has to be a string".to_owned())),
        };
        let operation_name = match object.remove("operationName") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
            Some(_) => return Err(Malformed("`operationName` has to be a string".to_owned())),
        };
        let variables = match object.remove("variables") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(variables)) => variables,
            Some(_) => return Err(Malformed("`variables` has to be an object".to_owned())),
        };
        if !matches!(object.remove("extensions"), None | Some(Value::Null | Value::Object(_))) {
            return Err(Malformed("`extensions` has to be an object".to_owned()));
        }
        Ok(Self { query, operation_name, variables, persisted })
    }

    /// Reads a query string.
    ///
    /// # Errors
    /// [`Malformed`] when a parameter is missing or no JSON.
    pub fn from_query_string(parameters: QueryString) -> Result<Self, Malformed> {
        let json = |name: &str, text: Option<String>| match text.filter(|text| !text.is_empty()) {
            None => Ok(Value::Null),
            Some(text) => {
                serde_json::from_str(&text).map_err(|error| Malformed(format!("`{name}` is no JSON: {error}")))
            }
        };
        let mut object = Map::new();
        object.insert("query".to_owned(), parameters.query.map_or(Value::Null, Value::String));
        object.insert("operationName".to_owned(), parameters.operation_name.map_or(Value::Null, Value::String));
        object.insert("variables".to_owned(), json("variables", parameters.variables)?);
        object.insert("extensions".to_owned(), json("extensions", parameters.extensions)?);
        Self::from_json(Value::Object(object))
    }

    /// The variables as the executor takes them.
    ///
    /// # Errors
    /// [`Malformed`] when one holds U+0000.
    pub fn graphql_variables(&self) -> Result<Variables, Malformed> {
        let variables = Variables::from_json(Value::Object(self.variables.clone()));
        for value in variables.values() {
            check_value(value).map_err(|error| Malformed(error.to_string()))?;
        }
        Ok(variables)
    }
}

/// The parameters of a GET.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryString {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

fn is_persisted(extensions: &Value) -> bool {
    extensions.get("persistedQuery").is_some_and(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(body: &str) -> Result<Parameters, Malformed> {
        match Body::parse(body.as_bytes())? {
            Body::Single(parameters) => parameters,
            Body::Batch(_) => panic!("one request"),
        }
    }

    #[test]
    fn a_request_has_a_query_and_may_have_more() {
        let request =
            single(r#"{"query":"{a}","operationName":"A","variables":{"x":1},"extensions":{},"more":1}"#).unwrap();
        assert_eq!((request.query.as_str(), request.operation_name.as_deref()), ("{a}", Some("A")));
        assert_eq!(request.variables["x"], 1);
        assert!(single(r#"{"query":"{a}","operationName":null,"variables":null,"extensions":null}"#).is_ok());
    }

    #[test]
    fn what_is_no_request_is_malformed() {
        for body in [
            "",
            "{",
            "null",
            "1",
            "\"{a}\"",
            "{}",
            r#"{"query":1}"#,
            r#"{"query":{}}"#,
            r#"{"query":["{a}"]}"#,
            r#"{"query":"{a}","operationName":1}"#,
            r#"{"query":"{a}","variables":"x"}"#,
            r#"{"query":"{a}","variables":[]}"#,
            r#"{"query":"{a}","extensions":"x"}"#,
        ] {
            assert!(single(body).is_err(), "{body}");
        }
        assert!(single(&("[".repeat(1_000) + &"]".repeat(1_000))).is_err());
        assert!(Body::parse(b"{\"query\":\"\xff\"}").is_err());
    }

    #[test]
    fn an_array_is_a_batch() {
        let Ok(Body::Batch(requests)) = Body::parse(br#"[{"query":"{a}"},{}]"#) else { panic!("a batch") };
        assert!(requests[0].is_ok() && requests[1].is_err());
    }
}
