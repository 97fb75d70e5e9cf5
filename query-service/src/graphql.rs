//! The GraphQL side: the schema, and the handler that speaks GraphQL over HTTP. It only reads.

mod complete;
mod customer;
mod date_time;
mod enums;
mod error;
pub mod handler;
mod history;
mod ids;
mod invoice;
mod limits;
mod loaders;
mod media_type;
mod money;
mod node;
mod order;
mod order_parts;
mod orders;
mod paging;
mod product;
mod query;
mod request;

use async_graphql::{EmptyMutation, EmptySubscription};
pub use query::Query;

/// The schema.
pub type Schema = async_graphql::Schema<Query, EmptyMutation, EmptySubscription>;

/// Whether clients may look around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Openness {
    /// Whether introspection is answered.
    pub introspection: bool,
    /// Whether errors suggest names.
    pub suggestions: bool,
}

/// The schema; each request brings the read tables that it is answered from.
#[must_use]
pub fn schema(openness: Openness) -> Schema {
    build(openness).finish()
}

/// The schema in the schema definition language, as it is committed.
#[must_use]
pub fn sdl() -> String {
    build(Openness { introspection: true, suggestions: true }).finish().sdl()
}

fn build(openness: Openness) -> async_graphql::SchemaBuilder<Query, EmptyMutation, EmptySubscription> {
    let builder = Schema::build(Query, EmptyMutation, EmptySubscription)
        .limit_complexity(limits::MAX_COMPLEXITY)
        .limit_depth(limits::MAX_DEPTH)
        .limit_recursive_depth(limits::MAX_LEVELS);
    let builder = if openness.introspection { builder } else { builder.disable_introspection() };
    if openness.suggestions { builder } else { builder.disable_suggestions() }
}
