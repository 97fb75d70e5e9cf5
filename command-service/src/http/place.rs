//! POST /api/orders and its aliases: runs the pipeline and says what came of it.

use super::run::{fingerprint, refused};
use crate::{
    app::{App, concerned, metadata, party, short_spelling},
    checkouts::{self, Checkout},
    inventory::{ReserveError, Reserved},
    pipeline::{
        append::{self, PlaceError, Placed},
        decide::{self, Decided, FIRST_REVISION},
        offer, profile,
        redeem::{self, RedeemError, Redeemed},
        reserve::{self, SharedError},
        source::{self, Source},
        validate::{self, Draft, Identified, PlaceOrderBody},
    },
    rejections,
};
use axum::{extract::State, response::Response};
use eventstore::{AppendError, ExecuteError};
use order::{Order, view::OrderAnswer};
use serde::{Deserialize, Serialize};
use service::{Answer, CommandRequest, Outcome, idempotent::Attempt, problem_of, unavailable_or_internal};
use shared_events::{OrderId, order::OrderLine, sealed::SealingKey};
use web::{Consistency, JsonBody, Problem};

/// An answer names the stock of at most so many products.
const MOST_STOCKS: usize = 20;

/// What every attempt of the same request uses.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    order_id: OrderId,
    order_number: String,
}

/// Places an order.
pub async fn place(
    State(app): State<App>,
    request: CommandRequest,
    JsonBody(body): JsonBody<PlaceOrderBody>,
) -> Result<Response, Problem> {
    let identified = validate::identify(&body, &request.caller)?;
    let order_number = app.numbers.next().await.map_err(|error| problem_of(&error))?;
    let names = serde_json::json!(Names { order_id: OrderId::generate(), order_number });
    let fingerprint = fingerprint(&body);
    let (idempotency, of) = (app.idempotency.clone(), request.clone());
    let work = async move |attempt: Attempt| {
        let outcome = Box::pin(run(&app, &of, &attempt, body, identified)).await;
        outcome.unwrap_or_else(|refused| refused)
    };
    Ok(Box::pin(idempotency.run(&request, &fingerprint, names, work)).await)
}

/// The stages after the request's own.
async fn run(
    app: &App,
    request: &CommandRequest,
    attempt: &Attempt,
    body: PlaceOrderBody,
    identified: Identified,
) -> Result<Outcome, Outcome> {
    let Names { order_id, order_number } = attempt.reserved()?;
    let source = source::find(app, &identified, &request.caller).await?;
    let order_id = source.order_id().unwrap_or(order_id);
    let draft = validate::validate(body, identified, &source, app.config.currency).map_err(rejections::problem)?;
    let placing = Placing { app, request, attempt, source: &source, order_number: &order_number };
    placing.nothing_yet(order_id).await?;
    let offer = offer::run(app, &source, &draft).await?;
    let contact = match draft.customer_id {
        Some(customer) if draft.contact.is_none() => profile::contact(app, &request.caller, customer).await,
        _ => None,
    };
    let quoted = matches!(source, Source::Quote(..)).then(|| draft.clone());
    let decided = decide::run(order_id, order_number.clone(), draft, contact, offer.priced.clone(), &app.config)
        .map_err(rejections::problem)?;
    // Before anything is held, so that nothing is held where this fails.
    let key = app.orders.keys().for_own_append(&concerned(&decided.order)).await.map_err(|error| problem_of(&error))?;
    let redeemed = match redeem::run(app, &decided.order, &order_number, offer.discount.as_ref()).await {
        Ok(redeemed) => redeemed,
        Err(RedeemError::UsedUp) => return Err(placing.used_up(quoted.as_ref()).await.into()),
        Err(RedeemError::Rows(error)) => return Err(Problem::from(error).into()),
    };
    let reserved = match placing.reserve(order_id, &offer.priced.lines).await {
        Ok(reserved) => reserved,
        Err(problem) => {
            redeem::undo(app, redeemed.as_ref()).await;
            return Err(problem.into());
        }
    };
    let decided = if reserved.revision == FIRST_REVISION { decided } else { decided.under_revision(reserved.revision) };
    Ok(Box::pin(placing.append(decided, &key, redeemed, &reserved)).await)
}

/// An attempt to place an order.
struct Placing<'a> {
    app: &'a App,
    request: &'a CommandRequest,
    attempt: &'a Attempt,
    source: &'a Source,
    order_number: &'a str,
}

impl Placing<'_> {
    /// Nothing has come of the cart or quote yet. The order's number tells whether it was this very request, which got
    /// so far and no further, or another one.
    async fn nothing_yet(&self, order_id: OrderId) -> Result<(), Outcome> {
        if matches!(self.source, Source::Items) {
            return Ok(());
        }
        let order = self.app.orders.load(order_id).await.map_err(refused)?;
        match order {
            Some(order) => Err(self.was_placed(&order)),
            None if self.source.is_checked_out() => {
                Err(Problem::cart_checked_out("this cart was checked out without an order").into())
            }
            None => Ok(()),
        }
    }

    fn was_placed(&self, order: &Order) -> Outcome {
        if order.number == self.order_number {
            return Outcome::Answered(answer(self.app, self.request, order, None));
        }
        let problem = Problem::cart_checked_out("this cart or quote has become an order already");
        problem.with_extension("orderId", order.id.to_string()).into()
    }

    /// Others were faster with the last use of the discount.
    async fn used_up(&self, quoted: Option<&Draft>) -> Problem {
        const DETAIL: &str = "the discount is used up";
        match (self.source, quoted) {
            (Source::Quote(quote, cart), Some(draft)) => {
                let fresh = offer::expired(self.app, quote, cart.as_deref(), draft, DETAIL).await;
                fresh.unwrap_or_else(|problem| problem)
            }
            _ => Problem::invalid_field("/discountCode", DETAIL),
        }
    }

    async fn reserve(&self, order_id: OrderId, lines: &[OrderLine]) -> Result<Reserved, Problem> {
        let App { inventory, stock_check, .. } = self.app;
        if matches!(self.source, Source::Items) {
            return reserve::run(order_id, lines, inventory).await.map_err(shortage);
        }
        reserve::shared(order_id, lines, inventory, stock_check).await.map_err(|error| match error {
            SharedError::Reserve(error) => shortage(error),
            SharedError::Watch(error) => problem_of(&error),
        })
    }

    async fn append(
        &self,
        decided: Decided,
        key: &SealingKey,
        redeemed: Option<Redeemed>,
        reserved: &Reserved,
    ) -> Outcome {
        let Self { app, request, .. } = *self;
        let Decided { events, order } = decided;
        let order_id = order.id;
        let answer = answer(app, request, &order, Some(reserved));
        let placed = append::run(app, &order, &events, key, metadata(request), self.attempt.done(&answer)).await;
        match placed {
            Ok(Placed::Now) => {
                self.settle(&order).await;
                attach(app, request, order_id);
                Outcome::Appended(answer)
            }
            Ok(Placed::Before(placed)) => {
                if placed.number != self.order_number {
                    redeem::undo(app, redeemed.as_ref()).await;
                    self.give_way(&placed, reserved.revision).await;
                }
                self.was_placed(&placed)
            }
            Err(error) => {
                if is_certain(&error) {
                    redeem::undo(app, redeemed.as_ref()).await;
                }
                failed(app, matches!(self.source, Source::Items).then_some(order_id), error).await
            }
        }
    }

    /// Checks the cart out and counts the discount at once, so that whoever looks now sees it; the log does it again.
    async fn settle(&self, order: &Order) {
        let checkout = Checkout::of(order);
        if checkout.matters()
            && let Err(error) = checkouts::settle_now(&self.app.carts.pool, &checkout).await
        {
            tracing::debug!(order.id = %order.id, %error, "the cart will be checked out by the log");
        }
    }

    /// Another request was faster: what this one held in the order's name may not be what the order needs.
    async fn give_way(&self, placed: &Order, revision: i32) {
        if revision > placed.reservation_revision()
            && let Err(error) = self.app.stock_check.settle(placed.id).await
        {
            tracing::debug!(order.id = %placed.id, %error, "the reservation will be brought back by its timer");
        }
    }
}

/// 409 with every line that is short.
fn shortage(error: ReserveError) -> Problem {
    match error {
        ReserveError::Short(unavailable) => {
            Problem::insufficient_stock("there is not enough stock for this order; nothing was reserved")
                .with_extension("unavailable", unavailable)
        }
        ReserveError::GivenUp => Problem::unavailable("an earlier attempt at this order ran out of time; try again"),
        ReserveError::Peer(error) => error.into_problem(),
    }
}

/// Tells inventory-service that the order exists, and keeps nobody waiting for it: the feed tells it too.
fn attach(app: &App, request: &CommandRequest, order_id: OrderId) {
    let (inventory, context) = (app.inventory.clone(), request.context.clone());
    let told = async move {
        if let Err(error) = inventory.attach(order_id).await {
            tracing::debug!(order.id = %order_id, %error, "the reservation will be attached by the feed");
        }
    };
    app.lifecycle.spawn("attach", move |_stop| context.scope(told));
}

/// Whether it is certain that there is no order.
fn is_certain(error: &PlaceError) -> bool {
    match error {
        PlaceError::Payload(_) => true,
        PlaceError::Append(error) => !matches!(error, AppendError::Unknown | AppendError::ClaimLost),
        PlaceError::Load(_) => false,
    }
}

/// What is left of an order that is not in the log. Its stock is given back where that is certain, and only where nobody
/// else may be placing it.
async fn failed(app: &App, own: Option<OrderId>, error: PlaceError) -> Outcome {
    if let Some(order_id) = own.filter(|_| is_certain(&error))
        && let Err(error) = app.inventory.release(order_id).await
    {
        tracing::debug!(order.id = %order_id, %error, "the reservation will run out by itself");
    }
    match error {
        PlaceError::Append(error) => refused(ExecuteError::Append(error)),
        PlaceError::Load(error) => refused(error),
        PlaceError::Payload(error) => unavailable_or_internal(&error, false).into(),
    }
}

fn answer(app: &App, request: &CommandRequest, order: &Order, reserved: Option<&Reserved>) -> Answer {
    let view = OrderAnswer::from_state(order, party(&request.caller), app.config.return_window);
    let answer =
        if short_spelling(request) { Answer::json(201, &view.into_legacy()) } else { Answer::json(201, &view) };
    let stocks = reserved.map(|reserved| reserved.lines.as_slice()).unwrap_or_default();
    let streams = stocks.iter().take(MOST_STOCKS).fold(Consistency::of(order.id, order.version), |streams, line| {
        streams.and(line.product_id.stock(), line.stock_version)
    });
    answer
        .location(format_args!("/api/orders/{}", order.id))
        .etag(order.version)
        .consistency(&streams)
        .concerning(concerned(order))
}
