//! PUT /api/orders/{id}

use super::{
    resource::Resource,
    run::{OnOrder, key_of, once, order_id},
};
use crate::{
    app::{App, party},
    input::{AddressInput, Checks, ContactInput},
};
use axum::{extract::State, response::Response};
use order::{AmendOrder, Command, Party, Rejection};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::CommandRequest;
use shared_events::RefundId;
use web::{IfMatch, OptionalJsonBody, PathParams, Problem, request_context::now};

const LONGEST_NOTE: usize = 2_000;

/// What is to change; what is missing stays as it is.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AmendBody {
    /// All lines from now on.
    #[schema(value_type = Option<Vec<crate::pipeline::validate::ItemBody>>)]
    items: Option<Vec<Value>>,
    /// Where it goes.
    shipping_address: Option<AddressInput>,
    /// Who gets the bill.
    billing_address: Option<AddressInput>,
    /// How the customer is reached.
    contact: Option<ContactInput>,
    /// What the customer wants to say.
    note: Option<String>,
}

/// Amends an order.
pub async fn put(
    State(app): State<App>,
    request: CommandRequest,
    if_match: IfMatch,
    params: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<AmendBody>,
) -> Result<Response, Problem> {
    let order_id = order_id(&params)?;
    let command = command(&body, party(&request.caller), &app);
    let of = app.clone();
    let wanted = async move {
        let sealing_key = Some(key_of(&of, order_id).await?);
        Ok(OnOrder { order_id, command, answers: Resource::Order, if_match, command_id: None, sealing_key })
    };
    Ok(Box::pin(once(app, request, &body, wanted)).await)
}

fn command(body: &AmendBody, by: Party, app: &App) -> Result<Command, Rejection> {
    let mut checks = Checks::default();
    if body.items.is_some() {
        checks.broken("/items", "the items of an order cannot be changed yet; cancel lines, or place another order");
    }
    let shipping_address =
        body.shipping_address.as_ref().and_then(|address| address.check("/shippingAddress", &mut checks));
    let billing_address =
        body.billing_address.as_ref().and_then(|address| address.check("/billingAddress", &mut checks));
    let contact = body.contact.as_ref().and_then(|contact| contact.check("/contact", &mut checks));
    let note = checks.optional("/note", body.note.as_deref(), LONGEST_NOTE);
    checks.finish()?;
    let now = now();
    let command = AmendOrder {
        items: None,
        shipping_address,
        billing_address,
        contact,
        note,
        reservation_revision: None,
        expires_at: now + app.config.payment_window,
        refund_id: RefundId::generate(),
        by,
        now,
    };
    Ok(command.into())
}
