//! The steps of an order's life: routes whose body says which command an order is to run. A new one is a body, what it
//! means ([`Step`]), and a line of the route table.

use super::{
    resource::Resource,
    run::{OnOrder, key_of, once, order_id},
};
use crate::app::{App, party};
use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use order::{Command, Party, Rejection};
use serde::{Serialize, de::DeserializeOwned};
use service::CommandRequest;
use web::{IfMatch, JsonBody, OptionalJsonBody, PathParams, Problem, request_context::now};

/// A body that is a command on an order.
pub trait Step: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The command.
    ///
    /// # Errors
    /// What is wrong with the body or the ids in the path.
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong>;
}

/// What a step has besides its body.
pub struct At<'a> {
    /// The ids in the path.
    pub params: &'a PathParams,
    /// Who asks.
    pub by: Party,
    /// When.
    pub now: DateTime<Utc>,
}

/// What a step wants.
pub struct Wanted {
    command: Command,
    answers: Resource,
    writes_personal_data: bool,
}

/// What is wrong with a step, in the order in which it is told.
pub enum Wrong {
    /// An id is none: 400 before anything else.
    Id(Problem),
    /// A rule is broken: told after it is known that the order is there and at the expected version.
    Rule(Rejection),
}

impl<C: Into<Command>> From<C> for Wanted {
    fn from(command: C) -> Self {
        Self { command: command.into(), answers: Resource::Order, writes_personal_data: false }
    }
}

impl From<Problem> for Wrong {
    fn from(problem: Problem) -> Self {
        Self::Id(problem)
    }
}

impl From<Rejection> for Wrong {
    fn from(rejection: Rejection) -> Self {
        Self::Rule(rejection)
    }
}

impl Wanted {
    /// Answers with what the command made, not with the order.
    pub fn answering(self, answers: Resource) -> Self {
        Self { answers, ..self }
    }

    /// The command carries somebody's own words, which are sealed.
    pub fn with_personal_data(self, writes_personal_data: bool) -> Self {
        Self { writes_personal_data, ..self }
    }
}

/// A step whose body has to be there.
pub async fn step<B: Step>(
    State(app): State<App>,
    request: CommandRequest,
    if_match: IfMatch,
    params: PathParams,
    JsonBody(body): JsonBody<B>,
) -> Result<Response, Problem> {
    run(app, request, if_match, &params, body).await
}

/// A step whose body may be absent: all of its fields are optional.
pub async fn bare_step<B: Step>(
    State(app): State<App>,
    request: CommandRequest,
    if_match: IfMatch,
    params: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<B>,
) -> Result<Response, Problem> {
    run(app, request, if_match, &params, body).await
}

/// A step without a body.
pub async fn bodiless_step<B: Step + Default>(
    State(app): State<App>,
    request: CommandRequest,
    if_match: IfMatch,
    params: PathParams,
) -> Result<Response, Problem> {
    run(app, request, if_match, &params, B::default()).await
}

async fn run<B: Step>(
    app: App,
    request: CommandRequest,
    if_match: IfMatch,
    params: &PathParams,
    body: B,
) -> Result<Response, Problem> {
    let order_id = order_id(params)?;
    let at = At { params, by: party(&request.caller), now: now() };
    let (command, answers, seals) = match body.wanted(&at) {
        Ok(wanted) => (Ok(wanted.command), wanted.answers, wanted.writes_personal_data),
        Err(Wrong::Rule(rejection)) => (Err(rejection), Resource::Order, false),
        Err(Wrong::Id(problem)) => return Err(problem),
    };
    let of = app.clone();
    let wanted = async move {
        let sealing_key = if seals { Some(key_of(&of, order_id).await?) } else { None };
        Ok(OnOrder { order_id, command, answers, if_match, command_id: None, sealing_key })
    };
    Ok(Box::pin(once(app, request, &body, wanted)).await)
}
