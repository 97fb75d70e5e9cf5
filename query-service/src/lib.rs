//! The read side: projectors, read models, GraphQL.
