//! What a caller may see of the read tables. Both REST and GraphQL ask here and nowhere else: a customer sees their
//! own rows on every path, everyone else what their scopes open.

use order::{Order, Party};
use shared_events::UserId;
use web::{Caller, Problem, Scope};

/// A caller, as the read tables see them.
#[derive(Debug, Clone)]
pub struct Viewer {
    caller: Caller,
}

impl Viewer {
    /// The view of this caller.
    #[must_use]
    pub const fn new(caller: Caller) -> Self {
        Self { caller }
    }

    /// The caller.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Lets callers with the scope pass.
    ///
    /// # Errors
    /// 403 `INSUFFICIENT_SCOPE`.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.caller.has(scope) { Ok(()) } else { Err(Problem::missing_scope(scope)) }
    }

    /// Whose rows alone the caller sees; none for those who see all. A customer whose subject is no user id sees
    /// nobody's.
    #[must_use]
    pub fn confined_to(&self) -> Option<UserId> {
        let nobody = UserId::from_uuid(uuid::Uuid::nil());
        self.caller.is_customer().then(|| UserId::parse(&self.caller.subject).unwrap_or(nobody))
    }

    /// Whether rows of this customer (none: a guest) are visible.
    #[must_use]
    pub fn sees_customer(&self, customer: Option<UserId>) -> bool {
        match self.confined_to() {
            None => true,
            Some(own) => customer == Some(own) && !own.as_uuid().is_nil(),
        }
    }

    /// Whether this order is visible.
    #[must_use]
    pub fn sees(&self, order: &Order) -> bool {
        self.sees_customer(order.customer_id)
    }

    /// Whether who did what, and with which data, is visible.
    #[must_use]
    pub fn sees_events(&self) -> bool {
        !self.caller.is_customer() && self.caller.has(Scope::EventsRead)
    }

    /// For whom orders are shown: a customer doesn't see what is the shop's business.
    #[must_use]
    pub fn party(&self) -> Party {
        if self.caller.is_customer() { Party::Customer } else { Party::Staff }
    }
}
