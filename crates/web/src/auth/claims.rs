//! What an access token says (RFC 9068): written by auth-service, read by everyone.

use crate::{Caller, CallerKind, Profile, Scopes};
use serde::{Deserialize, Serialize};

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// Who issued it: the public URL.
    pub iss: String,
    /// For whom it is.
    pub aud: String,
    /// A user's id, or the client's own.
    pub sub: String,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// Its own id.
    pub jti: String,
    /// The client it was issued to.
    pub client_id: String,
    /// What it allows, names with spaces between.
    #[serde(default)]
    pub scope: String,
    /// The role of the subject: `customer`, `staff`, `admin` or `service`.
    pub role: CallerKind,
    /// The login session it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The user's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The user's phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
}

impl AccessTokenClaims {
    /// The caller that these claims describe. No token makes a caller internal: that is the service token's alone.
    #[must_use]
    pub fn into_caller(self) -> Caller {
        let kind = if self.role == CallerKind::Internal { CallerKind::Client } else { self.role };
        Caller {
            kind,
            scopes: Scopes::parse(&self.scope),
            subject: self.sub,
            client_id: self.client_id,
            session: self.sid,
            token_id: Some(self.jti),
            profile: Profile { email: self.email, name: self.name, phone: self.phone_number },
        }
    }
}
