//! What this service is told from outside.

use crate::keys::KeyEncryptionKey;

/// The settings of auth-service.
#[derive(Debug, Clone)]
pub struct Config {
    /// The issuer of every token: `OMS_PUBLIC_URL`, without a slash at the end.
    pub issuer: String,
    /// `OMS_KEY_ENCRYPTION_KEY`: what signing keys are sealed with in the database. Without it a key kept in the same
    /// schema is used, which is for development.
    pub key_encryption_key: Option<KeyEncryptionKey>,
    /// `OMS_RATE_LIMIT`: whether guessing meets limits.
    pub rate_limit: bool,
}
