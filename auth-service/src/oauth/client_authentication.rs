//! Authentication of OAuth clients (RFC 6749 §2.3): `client_secret_basic`, `client_secret_post`, `private_key_jwt`, and
//! `none` for public clients. A request that tries two of them at once is refused.

use super::OAuthError;
use super::client_assertion;
use super::form::OAuthForm;
use crate::App;
use crate::clients::{self, Client};
use crate::secret::Secret;
use crate::sessions::Origin;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// What the request says about its client.
enum Claimed {
    /// By id, and by secret unless it is public.
    Named(Credentials),
    /// By a JWT of its own (RFC 7523).
    Asserted { assertion: Secret, id: Option<String> },
}

/// An id and a secret.
struct Credentials {
    id: String,
    secret: Option<Secret>,
}

/// The client that sends the request, public ones included.
pub(crate) async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    form: &OAuthForm,
    origin: &Origin,
) -> Result<Client, OAuthError> {
    let claimed = claimed(headers, form)?;
    let attempt = app.limits.client(origin)?;
    let connection = app.pool.get().await?;
    let client = match &claimed {
        Claimed::Named(named) => clients::authenticate(&connection, &named.id, named.secret.as_ref()).await?,
        Claimed::Asserted { assertion, id } => {
            client_assertion::authenticate(app, &connection, assertion, id.as_deref()).await?
        }
    };
    match client {
        Some(client) => {
            attempt.give_back();
            Ok(client)
        }
        None => {
            attempt.count();
            Err(OAuthError::InvalidClient("the client or its proof is not known"))
        }
    }
}

/// The same for endpoints that public clients have no business with.
pub(crate) async fn authenticate_confidential(
    app: &App,
    headers: &HeaderMap,
    form: &OAuthForm,
    origin: &Origin,
) -> Result<Client, OAuthError> {
    let client = authenticate(app, headers, form, origin).await?;
    if client.confidential { Ok(client) } else { Err(OAuthError::InvalidClient("this needs a client with a secret")) }
}

fn claimed(headers: &HeaderMap, form: &OAuthForm) -> Result<Claimed, OAuthError> {
    let (id, secret) = (form.get("client_id"), form.get("client_secret"));
    let (assertion, kind) = (form.get("client_assertion"), form.get("client_assertion_type"));
    let basic = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
        let (scheme, rest) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("basic").then_some(rest.trim())
    });
    if let Some(encoded) = basic {
        if secret.is_some() || assertion.is_some() {
            return Err(OAuthError::InvalidRequest("the client authenticates in two ways at once"));
        }
        let found = decode_basic(encoded).ok_or(OAuthError::InvalidClient("the Basic credentials can't be read"))?;
        if id.is_some_and(|id| id != found.id) {
            return Err(OAuthError::InvalidRequest("client_id and the Basic credentials name two clients"));
        }
        return Ok(Claimed::Named(found));
    }
    if assertion.is_some() && secret.is_some() {
        return Err(OAuthError::InvalidRequest("the client authenticates in two ways at once"));
    }
    match (assertion, kind) {
        (Some(assertion), Some(client_assertion::TYPE)) => {
            return Ok(Claimed::Asserted { assertion: Secret::new(assertion), id: id.map(ToOwned::to_owned) });
        }
        (None, None) => {}
        (Some(_), _) | (None, Some(_)) => {
            return Err(OAuthError::InvalidClient("use client_assertion with the type jwt-bearer of RFC 7523"));
        }
    }
    let id = id.ok_or(OAuthError::InvalidClient("this needs client authentication"))?;
    Ok(Claimed::Named(Credentials { id: id.to_owned(), secret: secret.map(Secret::new) }))
}

fn decode_basic(encoded: &str) -> Option<Credentials> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let secret = form_decode(secret)?;
    Some(Credentials { id: form_decode(id)?, secret: (!secret.is_empty()).then(|| Secret::new(secret)) })
}

/// Undoes the form encoding that RFC 6749 §2.3.1 puts around both parts.
fn form_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_decoded() {
        let found = decode_basic(&STANDARD.encode("cli%5F1:oms%5Fcs%2Da+b")).unwrap();
        assert_eq!((found.id.as_str(), found.secret.unwrap().expose()), ("cli_1", "oms_cs-a b"));
        assert!(decode_basic("no base64!").is_none());
        assert!(decode_basic(&STANDARD.encode("no colon")).is_none());
        assert!(decode_basic(&STANDARD.encode("a%zz:b")).is_none());
        assert!(decode_basic(&STANDARD.encode("a%4:b")).is_none());
    }
}
