//! `Customer`: a user, with their orders.

use super::{
    error::FromRead as _,
    loaders::Batches,
    orders::{OrderConnection, OrderFilter, OrderOrder},
    paging::{PageArguments, page_cost},
    query::{loader, viewer},
};
use crate::reads::Profile;
use async_graphql::{Context, ID, Object, Result};
use shared_events::UserId;

/// A user who buys.
pub struct Customer {
    id: UserId,
}

impl Customer {
    /// The customer with this id.
    #[must_use]
    pub const fn new(id: UserId) -> Self {
        Self { id }
    }

    /// What is known of them: from their own token where they ask themselves, else from the users' service.
    async fn profile(&self, context: &Context<'_>) -> Result<Profile> {
        let caller = viewer(context)?.caller();
        if caller.subject == self.id.to_string() && caller.profile.email.is_some() {
            return Ok(Profile {
                email: caller.profile.email.clone(),
                name: caller.profile.name.clone(),
                phone: caller.profile.phone.clone(),
            });
        }
        Ok(loader::<Batches>(context)?.load_one(self.id).await.coded()?.unwrap_or_default())
    }
}

/// A user who buys.
#[Object]
impl Customer {
    /// Their id: `usr_…`.
    pub(super) async fn id(&self) -> ID {
        self.id.into()
    }

    /// Their e-mail address; null once erased.
    #[graphql(complexity = 3)]
    async fn email(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.profile(context).await?.email)
    }

    /// Their name.
    #[graphql(complexity = 3)]
    async fn name(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.profile(context).await?.name)
    }

    /// Their phone number.
    #[graphql(complexity = 3)]
    async fn phone(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.profile(context).await?.phone)
    }

    /// Their orders. Needs the scope `orders:read`.
    #[expect(clippy::too_many_arguments, reason = "the arguments of the schema")]
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn orders(
        &self,
        context: &Context<'_>,
        filter: Option<OrderFilter>,
        order_by: Option<OrderOrder>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<OrderConnection>> {
        let page = PageArguments { first, after, last, before };
        OrderConnection::of(context, Some(self.id), filter, order_by, page).await.map(Some)
    }
}
