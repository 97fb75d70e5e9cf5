//! The route table: every path that this service answers, who may call it, and what it answers.

mod answer;
mod events;
mod graphiql;
mod list;
mod order;
mod status;
mod tracking;

use crate::{
    generations::Live,
    graphql::handler::{self, GraphQl},
};
pub use tracking::GuessLimits;
use web::{Access, Doc, Routes, Scope};

/// The route table. A request is answered from the generation that is live when it begins.
#[must_use]
pub fn routes(live: Live, graphql: GraphQl, guesses: GuessLimits) -> Routes<()> {
    let read = Access::Scope(Scope::OrdersRead);
    let orders = Routes::new("query")
        .get(
            "/api/orders",
            read,
            Doc::new("Orders, newest first; customers see their own")
                .query::<list::ListParams>()
                .answers_list::<::order::view::OrderAnswer>()
                .problems(&[400, 401, 403, 404, 503]),
            list::orders,
        )
        .get(
            "/api/orders/{id}",
            read,
            Doc::new("An order").answers::<::order::view::OrderAnswer>(200).problems(&[400, 401, 403, 404, 503]),
            order::by_id,
        )
        .get(
            "/orders/{id}",
            read,
            Doc::new("An order by its id or number, or the orders of a user by theirs")
                .answers::<::order::view::LegacyOrderAnswer>(200)
                .problems(&[400, 401, 403, 404, 503]),
            order::by_reference,
        )
        .alias("/order/{id}")
        .get(
            "/api/orders/{id}/status",
            read,
            Doc::new("Where an order stands").answers::<status::StatusAnswer>(200).problems(&[400, 401, 403, 404, 503]),
            status::by_id,
        )
        .alias("/order/{id}/status")
        .get(
            "/api/orders/{id}/events",
            read,
            Doc::new("What happened to an order, oldest first; actor and payload need the scope events:read")
                .query::<web::pagination::PageParams>()
                .answers_list::<events::EventAnswer>()
                .problems(&[400, 401, 403, 404, 503]),
            events::of_order,
        )
        .get(
            "/api/orders/user/{userId}",
            read,
            Doc::new("The orders of a user, newest first")
                .query::<web::pagination::PageParams>()
                .answers_list::<::order::view::OrderAnswer>()
                .problems(&[400, 401, 403, 404, 503]),
            list::of_user,
        )
        .alias("/orders/user/{userId}")
        .alias("/user/{userId}/orders")
        .with_state(live.clone());
    let tracking = Routes::new("query")
        .get(
            "/api/tracking/order/{orderNumber}",
            Access::Public,
            Doc::new("Where an order stands, for who knows its number and its phone or e-mail")
                .description("The proof is `phone` or `email` of the order, or a token that may read it.")
                .query::<tracking::Proof>()
                .answers::<tracking::TrackingAnswer>(200)
                .problems(&[400, 401, 404, 429, 503]),
            tracking::by_number,
        )
        .with_state(tracking::Tracking { live, guesses });
    let graphql = Routes::new("query")
        .post(
            "/graphql",
            Access::Any,
            Doc::new("GraphQL: a query, or up to ten").problems(&[400, 401, 406, 413, 415]),
            handler::post,
        )
        .get("/graphql", Access::Any, Doc::new("GraphQL: a query").problems(&[400, 401, 405, 406]), handler::get)
        .get("/graphiql", Access::Public, Doc::new("A page to try GraphQL with"), graphiql::page)
        .get("/graphiql/explorer.js", Access::Public, Doc::new("The script of that page"), graphiql::script)
        .get("/graphiql/explorer.css", Access::Public, Doc::new("The style of that page"), graphiql::style)
        .with_state(graphql);
    orders.merge(tracking).merge(graphql)
}
