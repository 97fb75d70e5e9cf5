//! What a customer's profile adds to an order that says nothing of its own: how they are reached.

use crate::app::App;
use serde::Deserialize;
use shared_events::{Contact, UserId};
use web::Caller;

#[derive(Deserialize)]
struct User {
    email: Option<String>,
    name: Option<String>,
    phone: Option<String>,
}

/// The contact in the customer's profile. The caller's own is in the token; another's is asked of auth-service, and
/// an order does not fail because that is away: what is missing can be added later.
pub async fn contact(app: &App, caller: &Caller, customer_id: UserId) -> Option<Contact> {
    let own = caller.subject == customer_id.to_string();
    let user = if own {
        let profile = caller.profile.clone();
        User { email: profile.email, name: profile.name, phone: profile.phone }
    } else {
        match app.auth.get::<User>(&format!("/internal/users/{customer_id}")).await {
            Ok(user) => user,
            Err(error) => {
                if error.is_unavailable() {
                    tracing::warn!(%error, "a customer's profile could not be read; the order goes without");
                }
                return None;
            }
        }
    };
    Some(Contact { email: user.email?, phone: user.phone, name: user.name })
}
