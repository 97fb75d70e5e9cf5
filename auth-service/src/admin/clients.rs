//! POST and GET /api/clients, GET and DELETE /api/clients/{clientId}.

use super::CURSOR_VERSION;
use crate::SharedApp;
use crate::clients::{self, Client};
use crate::directory::{ClientRules, Secrecy};
use crate::failure::Failure;
use crate::secret::Secret;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::header::LOCATION;
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use shared_events::ClientId;
use utoipa::ToSchema;
use web::pagination::PageParams;
use web::{Caller, Cursor, JsonBody, List, PathParams, Problem, QueryParams, Scope};

/// A client to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewClient {
    /// What people call it; unique.
    name: String,
    /// The most it may ask for.
    scopes: Vec<String>,
    /// `client_credentials`, `refresh_token`, `authorization_code`; `client_credentials` if absent.
    grants: Option<Vec<String>>,
    /// Where codes may be sent.
    #[serde(default)]
    redirect_uris: Vec<String>,
    /// Where a browser may be sent after logging out.
    #[serde(default)]
    post_logout_redirect_uris: Vec<String>,
    /// Whether it is the shop's own: people are not asked whether it may act for them.
    #[serde(default)]
    first_party: bool,
    /// Its public keys (a JSON Web Key Set, EC P-256), where it proves itself by `private_key_jwt` instead of by a secret.
    jwks: Option<serde_json::Value>,
    /// Whether it runs where no secret can be kept, such as in a browser; then it gets none.
    #[serde(default)]
    public: bool,
}

/// A client. The secret is told once, in the answer that makes it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientAnswer {
    client_id: ClientId,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<Secret>,
    name: String,
    scopes: Vec<&'static str>,
    grants: Vec<&'static str>,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    first_party: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<serde_json::Value>,
    public: bool,
    disabled: bool,
    version: i64,
    created_at: DateTime<Utc>,
}

impl From<Client> for ClientAnswer {
    fn from(client: Client) -> Self {
        Self {
            client_id: client.id,
            client_secret: None,
            name: client.name,
            scopes: client.scopes.iter().map(Scope::as_str).collect(),
            grants: client.grants.iter().map(|grant| grant.as_str()).collect(),
            redirect_uris: client.redirect_uris,
            post_logout_redirect_uris: client.post_logout_redirect_uris,
            first_party: client.first_party,
            jwks: client.jwks.as_deref().and_then(|jwks| serde_json::from_str(jwks).ok()),
            public: !client.confidential,
            disabled: client.disabled_at.is_some(),
            version: client.version,
            created_at: client.created_at,
        }
    }
}

/// Registers a client.
pub(crate) async fn create(
    State(app): State<SharedApp>,
    caller: Caller,
    JsonBody(body): JsonBody<NewClient>,
) -> Result<Response, Failure> {
    let no_secret = body.public || body.jwks.is_some();
    let secrecy = if no_secret { Secrecy::Public } else { Secrecy::Generated };
    let default_grants = || vec!["client_credentials".to_owned()];
    let rules = ClientRules {
        name: &body.name,
        scopes: &body.scopes,
        grants: &body.grants.unwrap_or_else(default_grants),
        redirect_uris: &body.redirect_uris,
        post_logout_redirect_uris: &body.post_logout_redirect_uris,
        first_party: body.first_party,
        jwks: body.jwks.as_ref(),
        public: body.public,
    };
    let spec = rules.check().map_err(|(pointer, detail)| Problem::invalid_field(pointer, detail))?;
    let Some((client, secret)) = app.directory().insert_client(&spec, secrecy, &caller.subject).await? else {
        return Err(Problem::invalid_field("/name", "there is a client of this name already").into());
    };
    let location = format!("/api/clients/{}", client.id);
    let answer = ClientAnswer { client_secret: secret, ..client.into() };
    let headers = (crate::oauth::no_store(), [(LOCATION, location)]);
    Ok((StatusCode::CREATED, headers.0, headers.1, Json(answer)).into_response())
}

/// Every client, oldest first.
pub(crate) async fn list(
    State(app): State<SharedApp>,
    QueryParams(params): QueryParams<PageParams>,
    uri: Uri,
) -> Result<Response, Failure> {
    let after = params.after::<ClientId>(CURSOR_VERSION)?;
    let connection = app.pool.get().await?;
    let found = clients::list(&connection, after, params.limit.plus_one()).await?;
    let items: Vec<ClientAnswer> = found.into_iter().map(ClientAnswer::from).collect();
    Ok(List::cut(items, params.limit, |last| Cursor::encode(CURSOR_VERSION, &last.client_id)).respond(&uri))
}

/// One client.
pub(crate) async fn get(State(app): State<SharedApp>, path: PathParams) -> Result<Json<ClientAnswer>, Failure> {
    let id: ClientId = path.id("clientId")?;
    let connection = app.pool.get().await?;
    let client = clients::find(&connection, id).await?.ok_or_else(no_such_client)?;
    Ok(Json(client.into()))
}

/// Disables a client: it gets no more tokens and introspection refuses those it has, which end within ten minutes.
pub(crate) async fn disable(
    State(app): State<SharedApp>,
    caller: Caller,
    path: PathParams,
) -> Result<StatusCode, Failure> {
    let id: ClientId = path.id("clientId")?;
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    clients::find(&transaction, id).await?.ok_or_else(no_such_client)?;
    clients::disable(&transaction, id, &caller.subject).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn no_such_client() -> Problem {
    Problem::not_found("there is no such client")
}
