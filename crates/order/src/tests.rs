//! Tests of the aggregate as a whole.

mod properties;
