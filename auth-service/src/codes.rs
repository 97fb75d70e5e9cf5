//! Authorization codes (RFC 6749 §4.1.2): good for a minute and for one use, by the client they were given to. A second
//! use ends the session that the first one gave.

use crate::browser::BrowserLogin;
use crate::clients::Client;
use crate::oauth::authorize::AuthorizationRequest;
use crate::secret::Secret;
use crate::sessions::{self, FromBrowser, LiveSession, NewSession, Origin};
use crate::store::{self, StoreError};
use crate::users;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pg::deadpool_postgres::{GenericClient, Transaction};
use sha2::{Digest as _, Sha256};
use shared_events::{SessionId, UserId};
use subtle::ConstantTimeEq as _;
use web::Scopes;

/// How long a code is good.
const CODE_SECONDS: i32 = 60;

/// What a client presents to get its tokens.
pub(crate) struct Redemption<'a> {
    pub(crate) client: &'a Client,
    pub(crate) code: &'a Secret,
    pub(crate) redirect_uri: &'a str,
    pub(crate) code_verifier: &'a str,
    pub(crate) origin: &'a Origin,
}

/// What became of it.
pub(crate) enum Redeemed {
    /// The session that the code gave, and the nonce of its request.
    Given { session: Box<LiveSession>, nonce: Option<String> },
    /// The code was used before: this session of its first use has been ended, to be announced after the commit.
    Reused(SessionId),
    /// Unknown, expired, another client's, or not what was asked for.
    Refused,
}

/// Issues a code for a request that its user has agreed to.
pub(crate) async fn issue(
    client: &impl GenericClient,
    request: &AuthorizationRequest,
    login: &BrowserLogin,
    scopes: Scopes,
) -> Result<Secret, StoreError> {
    let code = Secret::new_authorization_code();
    store::execute(
        client,
        include_str!("sql/insert_authorization_code.sql"),
        &[
            &code.hash().as_slice(),
            &request.client.id.as_uuid(),
            &login.user.id.as_uuid(),
            &login.id,
            &login.authenticated_at,
            &request.redirect_uri,
            &scopes.to_string(),
            &request.nonce,
            &request.code_challenge,
            &CODE_SECONDS,
        ],
    )
    .await?;
    Ok(code)
}

/// Exchanges a code for a session. The lock on its row makes two who present it one after the other.
pub(crate) async fn redeem(transaction: &Transaction<'_>, redemption: &Redemption<'_>) -> Result<Redeemed, StoreError> {
    let select = include_str!("sql/lock_authorization_code.sql");
    let (hash, client_id) = (redemption.code.hash(), redemption.client.id);
    let row = store::query_opt(transaction, select, &[&hash.as_slice(), &client_id.as_uuid()]).await?;
    let Some(row) = row else { return Ok(Redeemed::Refused) };
    let given: Option<uuid::Uuid> = row.try_get("session_id")?;
    if let Some(session) = given.map(SessionId::from_uuid) {
        sessions::end(transaction, session, "its authorization code was used twice", "auth-service").await?;
        return Ok(Redeemed::Reused(session));
    }
    let challenge: &str = row.try_get("code_challenge")?;
    let same_uri = row.try_get::<_, &str>("redirect_uri")? == redemption.redirect_uri;
    if !row.try_get::<_, bool>("is_good")? || !same_uri || !answers(redemption.code_verifier, challenge) {
        return Ok(Redeemed::Refused);
    }
    let user = users::find(transaction, UserId::from_uuid(row.try_get("user_id")?)).await?;
    let Some(user) = user.filter(|user| user.disabled_at.is_none()) else { return Ok(Redeemed::Refused) };
    let login =
        FromBrowser { login_id: row.try_get("browser_login_id")?, authenticated_at: row.try_get("authenticated_at")? };
    let new = NewSession {
        user: &user,
        client_id: &client_id.to_string(),
        scopes: Scopes::parse(row.try_get("scope")?),
        origin: redemption.origin,
        login: Some(login),
    };
    let session = sessions::open(transaction, &new).await?;
    let update = "UPDATE authorization_codes SET used_at = now(), session_id = $2 WHERE hash = $1";
    store::execute(transaction, update, &[&hash.as_slice(), &session.id.as_uuid()]).await?;
    Ok(Redeemed::Given { session: Box::new(session), nonce: row.try_get("nonce")? })
}

/// Whether a verifier is what the challenge was made of, by S256 (RFC 7636 §4.6).
fn answers(verifier: &str, challenge: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
        return false;
    }
    let made = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    made.as_bytes().ct_eq(challenge.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_answers_the_challenge_of_rfc_7636_appendix_b() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(answers("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", challenge));
        assert!(!answers("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", challenge));
        assert!(!answers(challenge, challenge), "the challenge itself is no verifier");
        assert!(!answers("short", challenge));
        assert!(!answers("", challenge));
    }
}
