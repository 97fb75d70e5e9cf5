//! GraphQL over HTTP (<https://graphql.github.io/graphql-over-http/draft/>): POST with JSON, GET for queries only,
//! both media types with the statuses that each asks for, batches, and limits before anything is run.

use super::{
    Schema,
    complete::Shapes,
    error::{BAD_USER_INPUT, PERSISTED_QUERY_NOT_FOUND, QUERY_TOO_COMPLEX},
    limits::{MAX_BATCH, check_document, check_text},
    loaders::Batches,
    media_type::{MediaType, check_body_type},
    request::{Body, Malformed, Parameters, QueryString},
};
use crate::{generations::Live, reads::Reads, viewer::Viewer};
use async_graphql::{
    Request, Response as Answer, ServerError, Value,
    dataloader::DataLoader,
    parser::{
        parse_query,
        types::{ExecutableDocument, OperationDefinition, OperationType},
    },
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use eventstore::Spawner;
use futures_util::future::join_all;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{json, value::RawValue};
use std::sync::Arc;
use web::{
    Caller, Code, Consistency, Problem, QueryParams,
    json_body::{LARGEST_BODY, read_limited},
};

/// What the handlers need.
#[derive(Clone)]
pub struct GraphQl {
    schema: Schema,
    shapes: Arc<Shapes>,
    live: Live,
    spawner: Spawner,
}

/// Whether an answer may be to an operation that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
}

impl GraphQl {
    /// Handlers for this schema over what is live; loaders run on `spawner`.
    #[must_use]
    pub fn new(schema: Schema, live: Live, spawner: Spawner) -> Self {
        let shapes = Arc::new(Shapes::of(&schema.sdl()));
        Self { schema, shapes, live, spawner }
    }
}

/// `POST /graphql`.
///
/// # Errors
/// 413, 406, 415, and 400 for a malformed `OMS-Consistency`; everything else is answered as GraphQL.
pub async fn post(
    State(graphql): State<GraphQl>,
    caller: Caller,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let (http::request::Parts { headers, .. }, body) = request.into_parts();
    let body = read_limited(body, LARGEST_BODY).await?;
    let media_type = MediaType::negotiate(&headers)?;
    check_body_type(&headers)?;
    let consistency = Consistency::from_headers(&headers)?;
    let reads = graphql.live.reads();
    let outcome = match Body::parse(&body) {
        Err(malformed) => Outcome::malformed(&malformed),
        Ok(Body::Batch(requests)) if requests.is_empty() => {
            Outcome::malformed(&Malformed("a batch holds at least one request".to_owned()))
        }
        Ok(Body::Batch(requests)) if requests.len() > MAX_BATCH => {
            Outcome::malformed(&Malformed(format!("a batch holds at most {MAX_BATCH} requests")))
        }
        Ok(Body::Single(request)) => graphql.waited(&reads, &caller, request, Method::Post, &consistency).await,
        Ok(Body::Batch(requests)) => match wait(&reads, &consistency).await {
            Err(behind) => behind,
            Ok(()) => {
                let runs = requests.into_iter().map(|request| graphql.run(&reads, &caller, request, Method::Post));
                Outcome::batch(join_all(runs).await)
            }
        },
    };
    Ok(outcome.respond(media_type))
}

/// `GET /graphql`: queries only.
///
/// # Errors
/// 405 for an operation that is no query, 406, and 400 for a malformed `OMS-Consistency`.
pub async fn get(
    State(graphql): State<GraphQl>,
    caller: Caller,
    headers: HeaderMap,
    QueryParams(parameters): QueryParams<QueryString>,
) -> Result<Response, Problem> {
    let media_type = MediaType::negotiate(&headers)?;
    let consistency = Consistency::from_headers(&headers)?;
    let request = Parameters::from_query_string(parameters);
    let reads = graphql.live.reads();
    let outcome = graphql.waited(&reads, &caller, request, Method::Get, &consistency).await;
    match outcome.status {
        Status::NotByGet => {
            let problem = Problem::method_not_allowed("GET runs queries only; send other operations by POST");
            Ok(problem.with_header(header::ALLOW, "POST").into_response())
        }
        Status::Malformed | Status::Refused | Status::Ran | Status::Behind => Ok(outcome.respond(media_type)),
    }
}

impl GraphQl {
    async fn waited(
        &self,
        reads: &Arc<Reads>,
        caller: &Caller,
        request: Result<Parameters, Malformed>,
        method: Method,
        consistency: &Consistency,
    ) -> Outcome {
        match wait(reads, consistency).await {
            Ok(()) => self.run(reads, caller, request, method).await,
            Err(behind) => behind,
        }
    }

    async fn run(
        &self,
        reads: &Arc<Reads>,
        caller: &Caller,
        request: Result<Parameters, Malformed>,
        method: Method,
    ) -> Outcome {
        let request = match request {
            Ok(request) => request,
            Err(malformed) => return Outcome::malformed(&malformed),
        };
        if request.query.is_empty() && request.persisted {
            return Outcome::refused(PERSISTED_QUERY_NOT_FOUND, "persisted queries are not known here; send the query");
        }
        let document = match parse(&request.query) {
            Ok(document) => document,
            Err(refused) => return refused,
        };
        let operation = match select(&document, request.operation_name.as_deref()) {
            Ok(operation) => operation,
            Err(message) => return Outcome::refused(BAD_USER_INPUT, message),
        };
        if operation.ty != OperationType::Query {
            if method == Method::Get {
                return Outcome { status: Status::NotByGet, body: RawValue::NULL.to_owned() };
            }
            return Outcome::refused(BAD_USER_INPUT, "this API reads only: send a query");
        }
        if let Err(message) = check_variables(operation, &request) {
            return Outcome::refused(BAD_USER_INPUT, &message);
        }
        let variables = match request.graphql_variables() {
            Ok(variables) => variables,
            Err(malformed) => return Outcome::refused(BAD_USER_INPUT, &malformed.0),
        };
        let spawner = self.spawner.clone();
        let loader = DataLoader::new(Batches(Arc::clone(reads)), move |task| spawner.spawn(task));
        let mut prepared = Request::new(request.query.clone())
            .variables(variables)
            .data(Viewer::new(caller.clone()))
            .data(Arc::clone(reads))
            .data(loader);
        prepared.operation_name.clone_from(&request.operation_name);
        let mut asked = document.clone();
        self.shapes.ask_for_types(&mut asked);
        prepared.set_parsed_query(asked);
        let mut answer = self.schema.execute(prepared).await;
        if !answer.errors.iter().any(|error| error.path.is_empty()) {
            answer.data = self.shapes.complete(&document, operation, &request.variables, answer.data, &answer.errors);
        }
        Outcome::of(answer)
    }
}

async fn wait(reads: &Reads, consistency: &Consistency) -> Result<(), Outcome> {
    reads.writes.wait(consistency).await.map_err(|error| {
        let problem = Problem::from(error);
        Outcome { status: Status::Behind, body: errors(problem.code().as_str(), problem.detail()) }
    })
}

fn parse(text: &str) -> Result<ExecutableDocument, Outcome> {
    check_text(text).map_err(|error| Outcome::refused(error.code(), &error.to_string()))?;
    let document = parse_query(text).map_err(|error| Outcome::unparsed(&ServerError::from(error)))?;
    check_document(&document).map_err(|error| Outcome::refused(error.code(), &error.to_string()))?;
    Ok(document)
}

/// The operation that is asked for.
fn select<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Result<&'a OperationDefinition, &'static str> {
    let mut operations = document.operations.iter();
    match name {
        Some(name) => operations
            .find(|(found, _)| found.is_some_and(|found| found.as_str() == name))
            .map(|(_, operation)| &operation.node)
            .ok_or("the document has no operation of that name"),
        None => match (operations.next(), operations.next()) {
            (Some((_, operation)), None) => Ok(&operation.node),
            (None, _) => Err("the document has no operation"),
            _ => Err("the document has several operations: say which one by `operationName`"),
        },
    }
}

/// Every variable that must have a value has one. Their types are checked where they are used.
fn check_variables(operation: &OperationDefinition, request: &Parameters) -> Result<(), String> {
    for definition in &operation.variable_definitions {
        let name = definition.node.name.node.as_str();
        let required = !definition.node.var_type.node.nullable;
        let null = match request.variables.get(name) {
            None => definition.node.default_value.is_none(),
            Some(value) => value.is_null(),
        };
        if required && null {
            return Err(format!("the variable `${name}` needs a value"));
        }
    }
    Ok(())
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// It is no GraphQL request.
    Malformed,
    /// It is one that can't be run.
    Refused,
    /// It was run; there may be errors beside its data.
    Ran,
    /// What was written is not here yet.
    Behind,
    /// It may change something, and came by GET.
    NotByGet,
}

struct Outcome {
    status: Status,
    body: Box<RawValue>,
}

impl Outcome {
    fn malformed(error: &Malformed) -> Self {
        Self { status: Status::Malformed, body: errors(Code::MalformedJson.as_str(), &error.0) }
    }

    fn refused(code: &str, message: &str) -> Self {
        Self { status: Status::Refused, body: errors(code, message) }
    }

    fn unparsed(error: &ServerError) -> Self {
        let mut answer = Answer::from_errors(vec![error.clone()]);
        give_codes(&mut answer, BAD_USER_INPUT);
        Self { status: Status::Refused, body: without_data(&answer) }
    }

    /// Errors without a path are of the request, before anything was run.
    fn of(mut answer: Answer) -> Self {
        let refused = answer.data == Value::Null
            && !answer.errors.is_empty()
            && answer.errors.iter().all(|error| error.path.is_empty());
        if refused {
            give_codes(&mut answer, BAD_USER_INPUT);
            return Self { status: Status::Refused, body: without_data(&answer) };
        }
        give_codes(&mut answer, BAD_USER_INPUT);
        // As text at once: a JSON value would sort the fields by name.
        Self { status: Status::Ran, body: raw(&answer) }
    }

    fn batch(outcomes: Vec<Self>) -> Self {
        let bodies: Vec<_> = outcomes.into_iter().map(|outcome| outcome.body).collect();
        Self { status: Status::Ran, body: raw(&bodies) }
    }

    fn respond(self, media_type: MediaType) -> Response {
        let status = match (self.status, media_type) {
            (Status::Malformed, _) | (Status::Refused, MediaType::GraphqlResponse) => StatusCode::BAD_REQUEST,
            (Status::NotByGet, _) => StatusCode::METHOD_NOT_ALLOWED,
            (Status::Behind, MediaType::GraphqlResponse) => StatusCode::SERVICE_UNAVAILABLE,
            (Status::Ran, _) | (Status::Refused | Status::Behind, MediaType::Json) => StatusCode::OK,
        };
        let mut response = (status, String::from(Box::<str>::from(self.body))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, media_type.content_type());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        if self.status == Status::Behind {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// An answer without `data`: nothing was run.
fn errors(code: &str, message: &str) -> Box<RawValue> {
    raw(&json!({"errors": [{"message": message, "extensions": {"code": code}}]}))
}

fn without_data(answer: &Answer) -> Box<RawValue> {
    raw(&json!({"errors": answer.errors}))
}

fn raw(value: &impl Serialize) -> Box<RawValue> {
    // Values of ours have text for keys and finite numbers, which is all that JSON asks for.
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Gives every error a code that has none: those of the executor itself.
fn give_codes(answer: &mut Answer, code: &str) {
    for error in &mut answer.errors {
        let coded = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
        if !coded {
            let limit = error.message.contains("too complex") || error.message.contains("nested too deep");
            let code = if limit { QUERY_TOO_COMPLEX } else { code };
            error.extensions.get_or_insert_default().set("code", code);
        }
    }
}
