//! Who is calling, as the token or the service token says. The caller is put into the request's extensions by
//! the authentication layer, or by an in-process peer, which is trusted.

use crate::{Problem, Scope, Scopes};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// What kind of caller it is. It decides which rows are visible; the scopes decide which routes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallerKind {
    /// A user who buys: acts on their own data alone.
    Customer,
    /// A user who works for the shop.
    Staff,
    /// A user who also manages users and clients.
    Admin,
    /// A program with credentials of its own (role `service` in its token).
    #[serde(rename = "service")]
    Client,
    /// One of our own services.
    Internal,
}

/// What the token says about the user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// The user's e-mail address.
    pub email: Option<String>,
    /// The user's name.
    pub name: Option<String>,
    /// The user's phone number.
    pub phone: Option<String>,
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// A user's id (`usr_…`), a client's id (`cli_…`) or `internal`.
    pub subject: String,
    /// The client that acts for the subject; `internal` for our own services.
    pub client_id: String,
    /// What kind of caller it is.
    pub kind: CallerKind,
    /// What the token allows.
    pub scopes: Scopes,
    /// The login session, where the token belongs to one.
    pub session: Option<String>,
    /// The token's own id (`jti`).
    pub token_id: Option<String>,
    /// What the token says about the user.
    pub profile: Profile,
}

impl Caller {
    /// One of our own services: every scope but `clients:admin`.
    #[must_use]
    pub fn internal() -> Self {
        Self {
            subject: "internal".to_owned(),
            client_id: "internal".to_owned(),
            kind: CallerKind::Internal,
            scopes: Scopes::all().without(Scope::ClientsAdmin),
            session: None,
            token_id: None,
            profile: Profile::default(),
        }
    }

    /// Whether it is a customer, who sees their own data alone.
    #[must_use]
    pub fn is_customer(&self) -> bool {
        self.kind == CallerKind::Customer
    }

    /// (s): a staff or admin user, or a client that holds `orders:admin`.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.is_staff_for(Scope::OrdersAdmin)
    }

    /// (s) on a route of that scope: for catalogue and stock a client needs `catalog:write` or `inventory:write`,
    /// for everything else `orders:admin`.
    #[must_use]
    pub fn is_staff_for(&self, scope: Scope) -> bool {
        match self.kind {
            CallerKind::Staff | CallerKind::Admin => true,
            CallerKind::Client => self.scopes.contains(staff_scope(scope)),
            CallerKind::Customer | CallerKind::Internal => false,
        }
    }

    /// (i): a client, or one of our own services.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        matches!(self.kind, CallerKind::Client | CallerKind::Internal)
    }

    /// Whether the token carries the scope.
    #[must_use]
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(scope)
    }

    /// Whether it may see data of that user: everyone but a customer may, a customer their own.
    #[must_use]
    pub fn may_see_user(&self, user_id: &str) -> bool {
        !self.is_customer() || self.subject == user_id
    }
}

/// The scope that makes a client staff on routes of `scope`.
#[must_use]
pub(crate) fn staff_scope(scope: Scope) -> Scope {
    match scope {
        Scope::CatalogWrite => Scope::CatalogWrite,
        Scope::InventoryRead | Scope::InventoryWrite => Scope::InventoryWrite,
        _ => Scope::OrdersAdmin,
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::unauthenticated("this needs a token"))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
