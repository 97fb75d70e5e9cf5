//! The scopes a token can carry, as an enum and as a set that fits in a register.

use std::fmt;

macro_rules! scopes {
    ($( $variant:ident, $text:literal, $doc:literal; )+) => {
        /// What a token allows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Scope { $( #[doc = $doc] $variant, )+ }

        impl Scope {
            /// Every scope there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in a token.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text, )+ }
            }

            /// The scope of that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $( $text => Some(Self::$variant), )+ _ => None }
            }

            /// What it allows, in words.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $( Self::$variant => $doc, )+ }
            }
        }
    };
}

scopes! {
    OrdersRead, "orders:read", "Read orders.";
    OrdersWrite, "orders:write", "Place, change and cancel orders.";
    OrdersAdmin, "orders:admin", "Act on any order as staff does.";
    CatalogWrite, "catalog:write", "Change products and prices.";
    InventoryRead, "inventory:read", "Read stock.";
    InventoryWrite, "inventory:write", "Change and reserve stock.";
    InvoicesRead, "invoices:read", "Read invoices.";
    InvoicesWrite, "invoices:write", "Issue invoices.";
    PaymentsWrite, "payments:write", "Report payments and refunds.";
    ShipmentsWrite, "shipments:write", "Create and report shipments.";
    AnalyticsRead, "analytics:read", "Read sales figures.";
    ClientsAdmin, "clients:admin", "Manage clients and users.";
    WebhooksAdmin, "webhooks:admin", "Manage webhook endpoints.";
    EventsRead, "events:read", "Read the events behind everything.";
    OpenId, "openid", "Receive an ID token.";
    Profile, "profile", "Read the user's name and phone.";
    Email, "email", "Read the user's e-mail address.";
    OfflineAccess, "offline_access", "Receive a refresh token.";
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u32);

impl Scopes {
    /// No scope at all.
    pub const NONE: Self = Self(0);

    /// Every scope there is.
    #[must_use]
    pub fn all() -> Self {
        Scope::ALL.iter().copied().collect()
    }

    /// Reads a token's `scope` claim: names with spaces between. Names that are not ours are passed over.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        text.split(' ').filter_map(Scope::parse).collect()
    }

    /// Whether the scope is in the set.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u32) != 0
    }

    /// Whether every scope of the other set is in this one.
    #[must_use]
    pub const fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set with that scope.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | (1 << scope as u32))
    }

    /// The set without that scope.
    #[must_use]
    pub const fn without(self, scope: Scope) -> Self {
        Self(self.0 & !(1 << scope as u32))
    }

    /// What both sets have.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes in it.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_reads_what_it_writes_and_passes_over_foreign_names() {
        assert_eq!(Scopes::parse(&Scopes::all().to_string()), Scopes::all());
        assert_eq!(Scopes::parse("orders:read  surprise openid").to_string(), "orders:read openid");
        assert!(Scopes::parse("").is_empty());
    }

    #[test]
    fn a_set_contains_what_was_put_in_and_nothing_else() {
        let set = Scopes::NONE.with(Scope::OrdersRead).with(Scope::Email);
        assert!(set.contains(Scope::OrdersRead) && set.contains(Scope::Email));
        assert!(!set.contains(Scope::OrdersWrite));
        assert!(!set.without(Scope::Email).contains(Scope::Email));
        assert!(Scopes::all().contains_all(set) && !set.contains_all(Scopes::all()));
    }
}
