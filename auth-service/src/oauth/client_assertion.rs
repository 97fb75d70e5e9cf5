//! `private_key_jwt` (RFC 7523 §2.2, OpenID Connect Core §9): a client signs a short-lived JWT about itself for us, which
//! is good once. It is signed by a key that the client was registered with, by ES256 alone.

use crate::App;
use crate::clients::{self, Client};
use crate::secret::Secret;
use crate::store::{self, StoreError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use pg::deadpool_postgres::GenericClient;
use serde::Deserialize;
use shared_events::ClientId;

/// What `client_assertion_type` says.
pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far a client's clock may be off.
const LEEWAY_SECONDS: i64 = 30;
/// How long an assertion may be good: until then its `jti` is remembered. Standard clients make them for an hour.
const LONGEST_LIFE_SECONDS: i64 = 60 * 60;
const LONGEST_ASSERTION: usize = 8 * 1024;
const LONGEST_JTI: usize = 255;

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    jti: String,
}

/// One audience, in either of its spellings. An assertion for several could be used at one by another of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Listed([String; 1]),
}

impl Audience {
    fn as_str(&self) -> &str {
        match self {
            Self::One(text) | Self::Listed([text]) => text,
        }
    }
}

/// The enabled client that an assertion proves, if it does; `id` is what the request calls it besides.
pub(crate) async fn authenticate(
    app: &App,
    connection: &impl GenericClient,
    assertion: &Secret,
    id: Option<&str>,
) -> Result<Option<Client>, StoreError> {
    let Some(subject) = unverified_subject(assertion.expose()) else { return Ok(None) };
    if id.is_some_and(|id| id != subject) {
        return Ok(None);
    }
    let Some(id) = ClientId::parse(&subject).ok().filter(|id| id.to_string() == subject) else { return Ok(None) };
    let client = clients::find(connection, id).await?.filter(|client| client.disabled_at.is_none());
    let Some(client) = client else { return Ok(None) };
    let Some(claims) = client.jwks.as_deref().and_then(|jwks| verify(assertion.expose(), jwks)) else {
        return Ok(None);
    };
    let issuer = app.tokens.issuer();
    let for_us = claims.aud.as_str() == issuer || claims.aud.as_str() == format!("{issuer}/oauth/token");
    let now = web::request_context::now().timestamp();
    let short = claims.exp <= now.saturating_add(LONGEST_LIFE_SECONDS + LEEWAY_SECONDS);
    let named = !claims.jti.is_empty() && claims.jti.len() <= LONGEST_JTI && !claims.jti.contains('\0');
    if claims.iss != subject || claims.sub != subject || !for_us || !short || !named {
        return Ok(None);
    }
    // The row decides who was first, on whatever instance.
    let insert =
        "INSERT INTO used_assertions (client_id, jti, expires_at) VALUES ($1, $2, to_timestamp($3::bigint::float8))
                  ON CONFLICT DO NOTHING";
    let forgotten_at = claims.exp.saturating_add(2 * LEEWAY_SECONDS);
    let fresh = store::execute(connection, insert, &[&id.as_uuid(), &claims.jti, &forgotten_at]).await? == 1;
    Ok(fresh.then_some(client))
}

/// Whom an assertion is about, to find the key that it has to be signed with.
fn unverified_subject(assertion: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    if assertion.len() > LONGEST_ASSERTION {
        return None;
    }
    let payload = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Subject>(&payload).ok().map(|claims| claims.sub)
}

fn verify(assertion: &str, jwks: &str) -> Option<Claims> {
    let header = jsonwebtoken::decode_header(assertion).ok()?;
    let typ = header
        .typ
        .as_deref()
        .is_none_or(|typ| typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("client-authentication+jwt"));
    if header.alg != Algorithm::ES256 || !typ || header.crit.is_some() {
        return None;
    }
    let set: JwkSet = serde_json::from_str(jwks).ok()?;
    let jwk = match (header.kid.as_deref(), set.keys.as_slice()) {
        (Some(kid), [only]) if only.common.key_id.is_none() || only.common.key_id.as_deref() == Some(kid) => only,
        (Some(kid), keys) => keys.iter().find(|jwk| jwk.common.key_id.as_deref() == Some(kid))?,
        (None, [only]) => only,
        (None, _) => return None,
    };
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_required_spec_claims(&["exp", "iss", "sub", "aud"]);
    // The audience is compared by the caller: here it may have one value only.
    validation.validate_aud = false;
    validation.validate_nbf = true;
    validation.leeway = LEEWAY_SECONDS.unsigned_abs();
    let key = DecodingKey::from_jwk(jwk).ok()?;
    jsonwebtoken::decode::<Claims>(assertion, &key, &validation).ok().map(|decoded| decoded.claims)
}
