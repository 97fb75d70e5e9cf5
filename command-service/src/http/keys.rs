//! The keys of personal data, for the other services. Internal: a key is as good as the data.

use crate::app::App;
use axum::{Json, extract::State};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use service::problem_of;
use shared_events::{KeyId, OrderId, sealed::SealingKey};
use web::{JsonBody, Problem};

const MOST_KEYS: usize = 1_000;

/// Which keys are wanted.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeysBody {
    /// At most 1,000 ids.
    key_ids: Vec<String>,
}

/// Whose key is wanted.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OwnerBody {
    /// `invoice/ord_…`.
    owner: String,
}

/// The keys that exist; erased ones are absent.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeysAnswer {
    keys: Vec<KeyAnswer>,
}

/// A key.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyAnswer {
    key_id: KeyId,
    /// Its bytes in base 64.
    key: String,
}

impl From<&SealingKey> for KeyAnswer {
    fn from(key: &SealingKey) -> Self {
        Self { key_id: key.id(), key: STANDARD.encode(key.expose()) }
    }
}

/// POST /internal/keys
pub async fn batch(State(app): State<App>, JsonBody(body): JsonBody<KeysBody>) -> Result<Json<KeysAnswer>, Problem> {
    if body.key_ids.len() > MOST_KEYS {
        return Err(Problem::invalid_field("/keyIds", format!("at most {MOST_KEYS} ids")));
    }
    let mut ids = Vec::with_capacity(body.key_ids.len());
    for (index, id) in body.key_ids.iter().enumerate() {
        ids.push(KeyId::parse(id).map_err(|error| {
            Problem::invalid_id(error.to_string()).with_error(
                format!("/keyIds/{index}"),
                "INVALID_ID",
                error.to_string(),
            )
        })?);
    }
    let ring = app.orders.keys().stored(&ids).await.map_err(|error| problem_of(&error))?;
    Ok(Json(KeysAnswer { keys: ids.iter().filter_map(|id| ring.get(*id)).map(KeyAnswer::from).collect() }))
}

/// POST /internal/keys/owner
pub async fn of_owner(State(app): State<App>, JsonBody(body): JsonBody<OwnerBody>) -> Result<Json<KeyAnswer>, Problem> {
    // Customers and guest orders get their keys from the pipeline alone.
    let order = body.owner.strip_prefix("invoice/").and_then(|id| OrderId::parse(id).ok());
    let Some(order) = order else {
        return Err(Problem::invalid_field("/owner", "`invoice/` and an order's id"));
    };
    let owner = format!("invoice/{order}");
    let key = app.orders.keys().of_owner(&owner).await.map_err(|error| problem_of(&error))?;
    Ok(Json(KeyAnswer::from(&key)))
}
