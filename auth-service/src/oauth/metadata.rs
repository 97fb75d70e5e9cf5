//! GET /.well-known/oauth-authorization-server (RFC 8414) and /.well-known/openid-configuration (OpenID Connect
//! Discovery): what is served, and nothing that is not.

use crate::SharedApp;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use web::{Scope, Scopes};

/// The authorization server's metadata.
pub(crate) async fn authorization_server(State(app): State<SharedApp>) -> Json<Value> {
    Json(metadata(app.tokens.issuer()))
}

/// The same for OpenID Connect clients.
pub(crate) async fn openid_configuration(State(app): State<SharedApp>) -> Json<Value> {
    let issuer = app.tokens.issuer();
    let mut document = metadata(issuer);
    document["userinfo_endpoint"] = json!(format!("{issuer}/oauth/userinfo"));
    document["subject_types_supported"] = json!(["public"]);
    document["id_token_signing_alg_values_supported"] = json!(["ES256"]);
    document["claims_supported"] = json!([
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "sid",
        "at_hash",
        "email",
        "email_verified",
        "name",
        "phone_number"
    ]);
    document["end_session_endpoint"] = json!(format!("{issuer}/oauth/logout"));
    document["claim_types_supported"] = json!(["normal"]);
    document["claims_parameter_supported"] = json!(false);
    document["prompt_values_supported"] = json!(["none", "login", "consent", "select_account"]);
    Json(document)
}

fn metadata(issuer: &str) -> Value {
    let confidential = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
    let any = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
    let scopes: Vec<&str> = Scopes::all().iter().map(Scope::as_str).collect();
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "introspection_endpoint": format!("{issuer}/oauth/introspect"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "token_endpoint_auth_methods_supported": any,
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "revocation_endpoint_auth_methods_supported": any,
        "revocation_endpoint_auth_signing_alg_values_supported": ["ES256"],
    })
}
