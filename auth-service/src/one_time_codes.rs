//! One-time codes of an authenticator (TOTP, RFC 6238) as a second proof beside the password. The secret is kept sealed, a
//! code is good once and for a step before and after its own thirty seconds. Codes are asked for from the moment the
//! first one was shown, and until an administrator takes the secret away.

mod algorithm;

use crate::keys::Keys;
use crate::store::{self, StoreError};
use crate::{audit, keys::KeyError};
use pg::deadpool_postgres::GenericClient;
use shared_events::UserId;
use tokio_postgres::Row;
use zeroize::Zeroizing;

/// RFC 4226 §4 R6 recommends 160 bits.
const SECRET_BYTES: usize = 20;

/// What an authenticator is set up with; told once.
pub(crate) struct Enrolment {
    /// In Base32, to be typed.
    pub(crate) secret: String,
    /// The same for a camera, `otpauth://…`.
    pub(crate) uri: String,
}

/// Where a user stands with codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// They have no secret, or have not shown a code of it yet.
    Off,
    /// A login needs a code.
    On,
}

/// Where the user stands.
pub(crate) async fn standing(client: &impl GenericClient, user: UserId) -> Result<Standing, StoreError> {
    let select = "SELECT 1 FROM one_time_secrets WHERE user_id = $1 AND confirmed_at IS NOT NULL";
    let row = store::query_opt(client, select, &[&user.as_uuid()]).await?;
    Ok(if row.is_some() { Standing::On } else { Standing::Off })
}

/// Gives the user a new secret in place of one that was never confirmed; `None` where codes are on.
pub(crate) async fn enrol(
    client: &impl GenericClient,
    keys: &Keys,
    user: UserId,
    email: &str,
    shop: &str,
) -> Result<Option<Enrolment>, KeyError> {
    let secret = Zeroizing::new(rand::random::<[u8; SECRET_BYTES]>());
    let sealed = keys.seal(&user.as_uuid().to_string(), secret.as_slice())?;
    let insert = include_str!("sql/insert_one_time_secret.sql");
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&user.as_uuid(), &sealed.ciphertext, &sealed.nonce, &sealed.sealed_with];
    if store::execute(client, insert, &parameters).await? == 0 {
        return Ok(None);
    }
    let secret = algorithm::base32(secret.as_slice());
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let uri = format!("otpauth://totp/{}:{}?secret={secret}&issuer={}", encode(shop), encode(email), encode(shop));
    Ok(Some(Enrolment { secret, uri }))
}

/// Whether this code of the user is good now and was not taken before; from now on it was.
pub(crate) async fn take(client: &impl GenericClient, keys: &Keys, user: UserId, code: &str) -> Result<bool, KeyError> {
    let select = "SELECT sealed_secret, nonce, sealed_with FROM one_time_secrets WHERE user_id = $1";
    let Some(row) = store::query_opt(client, select, &[&user.as_uuid()]).await? else { return Ok(false) };
    let secret = open(keys, user, &row)?;
    let now = web::request_context::now().timestamp();
    let Some(step) = algorithm::step_of(&secret, code, now) else { return Ok(false) };
    // The row decides who was first with a code.
    let update = "UPDATE one_time_secrets SET last_step = $2 WHERE user_id = $1 AND last_step < $2";
    Ok(store::execute(client, update, &[&user.as_uuid(), &step]).await? == 1)
}

/// Asks for codes from now on, after one was taken; a second time changes nothing.
pub(crate) async fn turn_on(client: &impl GenericClient, user: UserId) -> Result<(), StoreError> {
    let update = "UPDATE one_time_secrets SET confirmed_at = now() WHERE user_id = $1 AND confirmed_at IS NULL";
    if store::execute(client, update, &[&user.as_uuid()]).await? == 1 {
        let user = user.to_string();
        audit::record(client, &audit::Entry::by(&user, "ONE_TIME_CODES_ON").on(&user)).await?;
    }
    Ok(())
}

/// Takes the user's secret away, so that the password is enough; `false` where there was none.
pub(crate) async fn turn_off(client: &impl GenericClient, user: UserId, by: &str) -> Result<bool, StoreError> {
    let delete = "DELETE FROM one_time_secrets WHERE user_id = $1";
    if store::execute(client, delete, &[&user.as_uuid()]).await? == 0 {
        return Ok(false);
    }
    audit::record(client, &audit::Entry::by(by, "ONE_TIME_CODES_OFF").on(&user.to_string())).await?;
    Ok(true)
}

fn open(keys: &Keys, user: UserId, row: &Row) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    keys.open_sealed(&user.as_uuid().to_string(), row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)
}
