//! Codes that are mailed, to prove that somebody reads a user's mail: each is good once, for a while, for one purpose.
//! The code and the mail are rows of the transaction that asks for them; of the code only its hash stays.

mod worker;

pub(crate) use worker::Mailing;

use crate::keys::{KeyError, Keys};
use crate::secret::Secret;
use crate::store::{self, StoreError};
use pg::deadpool_postgres::Transaction;
use shared_events::UserId;
use tokio_postgres::Row;
use uuid::Uuid;

/// What a code is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To show that the address is the user's.
    VerifyEmail,
    /// To set another password.
    ResetPassword,
}

impl Purpose {
    /// Its name in the tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::VerifyEmail, Self::ResetPassword].into_iter().find(|purpose| purpose.as_str() == name)
    }

    const fn lifetime_seconds(self) -> f64 {
        match self {
            Self::VerifyEmail => 3.0 * 24.0 * 60.0 * 60.0,
            Self::ResetPassword => 30.0 * 60.0,
        }
    }
}

/// Makes a code and the mail that brings it. Codes of before for the same purpose are no good any more.
pub(crate) async fn write(
    transaction: &Transaction<'_>,
    keys: &Keys,
    user: UserId,
    purpose: Purpose,
) -> Result<(), KeyError> {
    let (code, mail_id) = (Secret::new_mailed_code(), Uuid::from_bytes(rand::random()));
    let sealed = keys.seal(&mail_id.to_string(), code.expose().as_bytes())?;
    spend_others(transaction, user, purpose).await?;
    let (hash, lifetime) = (code.hash(), purpose.lifetime_seconds());
    let (purpose_name, user_id) = (purpose.as_str(), user.as_uuid());
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 8] = [
        &hash.as_slice(),
        &purpose_name,
        &user_id,
        &lifetime,
        &mail_id,
        &sealed.ciphertext,
        &sealed.nonce,
        &sealed.sealed_with,
    ];
    store::execute(transaction, include_str!("letters/sql/write.sql"), &parameters).await?;
    Ok(())
}

/// Whether the code would be good now, without spending it: before the password is hashed, which takes a while.
pub(crate) async fn is_good(
    client: &impl pg::deadpool_postgres::GenericClient,
    code: &Secret,
    purpose: Purpose,
) -> Result<bool, StoreError> {
    let select =
        "SELECT FROM mailed_codes WHERE code_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > now()";
    Ok(store::query_opt(client, select, &[&code.hash().as_slice(), &purpose.as_str()]).await?.is_some())
}

/// Spends a code; answers whose it was, if it was good and they are not disabled.
pub(crate) async fn spend(
    transaction: &Transaction<'_>,
    code: &Secret,
    purpose: Purpose,
) -> Result<Option<UserId>, StoreError> {
    let (hash, purpose) = (code.hash(), purpose.as_str());
    let spend = include_str!("letters/sql/spend.sql");
    let spent = store::query_opt(transaction, spend, &[&hash.as_slice(), &purpose]).await?;
    Ok(spent.map(|row: Row| row.try_get(0).map(UserId::from_uuid)).transpose()?)
}

async fn spend_others(transaction: &Transaction<'_>, user: UserId, purpose: Purpose) -> Result<(), StoreError> {
    let update = "UPDATE mailed_codes SET used_at = now() WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL";
    store::execute(transaction, update, &[&user.as_uuid(), &purpose.as_str()]).await?;
    Ok(())
}
