//! Who may call a route. Every route names its access in the route table; there is no default.

use crate::caller::staff_scope;
use crate::{Caller, CallerKind, Problem, Scope};

/// Who may call a route. (s), (i) and the customers' own are the design's marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone; a token that is sent must be valid all the same.
    Public,
    /// The handler authenticates an OAuth client by itself.
    ClientAuth,
    /// Any valid token.
    Any,
    /// Any caller with the scope; the handler narrows customers to their own data.
    Scope(Scope),
    /// (s): staff with the scope.
    Staff(Scope),
    /// (i): a client with the scope, or one of our own services.
    Internal(Scope),
    /// (s, i).
    StaffOrInternal(Scope),
}

impl Access {
    /// Lets the caller in or says why not.
    ///
    /// # Errors
    /// 401 without a caller, 403 naming the scope or the kind of caller that is missing.
    pub fn check(self, caller: Option<&Caller>) -> Result<(), Problem> {
        let scope = match self {
            Self::Public | Self::ClientAuth => return Ok(()),
            Self::Any => None,
            Self::Scope(scope) | Self::Staff(scope) | Self::Internal(scope) | Self::StaffOrInternal(scope) => {
                Some(scope)
            }
        };
        let caller = caller.ok_or_else(|| {
            Problem::unauthenticated("this needs a token: send `Authorization: Bearer <access token>`")
        })?;
        if let Some(missing) = scope.filter(|scope| !caller.has(*scope)) {
            return Err(Problem::missing_scope(missing));
        }
        match self {
            Self::Staff(scope) if !caller.is_staff_for(scope) => Err(not_staff(caller, scope)),
            Self::Internal(_) if !caller.is_internal() => Err(Problem::insufficient_scope(
                "this is for services: a client's own token or the service token, not a user's token",
            )),
            Self::StaffOrInternal(scope) if !caller.is_internal() && !caller.is_staff_for(scope) => {
                Err(not_staff(caller, scope))
            }
            _ => Ok(()),
        }
    }

    /// The scope a token needs, for the documentation.
    #[must_use]
    pub fn scope(self) -> Option<Scope> {
        match self {
            Self::Public | Self::ClientAuth | Self::Any => None,
            Self::Scope(scope) | Self::Staff(scope) | Self::Internal(scope) | Self::StaffOrInternal(scope) => {
                Some(scope)
            }
        }
    }

    /// Whether the service token opens the route.
    #[must_use]
    pub fn takes_service_token(self) -> bool {
        matches!(self, Self::Internal(_) | Self::StaffOrInternal(_) | Self::Scope(_))
    }
}

fn not_staff(caller: &Caller, scope: Scope) -> Problem {
    match caller.kind {
        CallerKind::Client => Problem::missing_scope(staff_scope(scope)),
        CallerKind::Customer => Problem::insufficient_scope("this is for the shop's staff"),
        CallerKind::Internal | CallerKind::Staff | CallerKind::Admin => {
            Problem::insufficient_scope("this is for the shop's staff; the service token does not open it")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Profile, Scopes};

    fn caller(kind: CallerKind, scopes: &str) -> Caller {
        Caller {
            subject: "usr_1".to_owned(),
            client_id: "cli_1".to_owned(),
            kind,
            scopes: Scopes::parse(scopes),
            session: None,
            token_id: None,
            profile: Profile::default(),
        }
    }

    fn status(access: Access, caller: Option<&Caller>) -> u16 {
        access.check(caller).map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn without_a_token_only_public_routes_and_those_with_client_authentication_open() {
        for access in [Access::Public, Access::ClientAuth] {
            assert_eq!(status(access, None), 200);
        }
        for access in [Access::Any, Access::Scope(Scope::OrdersRead), Access::Internal(Scope::EventsRead)] {
            assert_eq!(status(access, None), 401);
        }
    }

    #[test]
    fn a_missing_scope_is_named() {
        let problem = Access::Scope(Scope::OrdersWrite)
            .check(Some(&caller(CallerKind::Admin, "orders:read")))
            .expect_err("the scope is missing");
        assert_eq!(problem.status(), 403);
        assert!(problem.detail().contains("orders:write"));
    }

    #[test]
    fn staff_is_a_staff_user_or_a_client_with_orders_admin() {
        let access = Access::Staff(Scope::AnalyticsRead);
        assert_eq!(status(access, Some(&caller(CallerKind::Staff, "analytics:read"))), 200);
        assert_eq!(status(access, Some(&caller(CallerKind::Admin, "analytics:read"))), 200);
        assert_eq!(status(access, Some(&caller(CallerKind::Client, "analytics:read orders:admin"))), 200);
        assert_eq!(status(access, Some(&caller(CallerKind::Client, "analytics:read"))), 403);
        assert_eq!(status(access, Some(&caller(CallerKind::Customer, "analytics:read orders:admin"))), 403);
        assert_eq!(status(access, Some(&Caller::internal())), 403);
    }

    #[test]
    fn on_catalogue_and_stock_a_client_is_staff_by_the_scope_itself() {
        for (scope, name) in [(Scope::CatalogWrite, "catalog:write"), (Scope::InventoryWrite, "inventory:write")] {
            assert_eq!(status(Access::Staff(scope), Some(&caller(CallerKind::Client, name))), 200);
            assert_eq!(status(Access::Staff(scope), Some(&caller(CallerKind::Customer, name))), 403);
        }
    }

    #[test]
    fn internal_is_a_client_with_the_scope_or_the_service_token_but_no_user() {
        let access = Access::Internal(Scope::PaymentsWrite);
        assert_eq!(status(access, Some(&caller(CallerKind::Client, "payments:write"))), 200);
        assert_eq!(status(access, Some(&Caller::internal())), 200);
        assert_eq!(status(access, Some(&caller(CallerKind::Staff, "payments:write"))), 403);
        assert_eq!(status(access, Some(&caller(CallerKind::Client, "orders:admin"))), 403);
        let both = Access::StaffOrInternal(Scope::ShipmentsWrite);
        assert_eq!(status(both, Some(&caller(CallerKind::Staff, "shipments:write"))), 200);
        assert_eq!(status(both, Some(&caller(CallerKind::Client, "shipments:write"))), 200);
        assert_eq!(status(both, Some(&caller(CallerKind::Customer, "shipments:write"))), 403);
    }

    #[test]
    fn the_service_token_does_not_manage_clients() {
        assert_eq!(status(Access::Scope(Scope::ClientsAdmin), Some(&Caller::internal())), 403);
    }

    #[test]
    fn a_customer_sees_their_own_data_alone() {
        let customer = caller(CallerKind::Customer, "");
        assert!(customer.may_see_user("usr_1") && !customer.may_see_user("usr_2"));
        assert!(caller(CallerKind::Staff, "").may_see_user("usr_2"));
    }
}
