//! The conventions as a client meets them: a small table of routes behind the same layers as every service.

mod http {
    pub mod bodies;
    pub mod shop;
    pub mod table;
    pub mod tokens;
}
