//! The order aggregate: decide, evolve and everything derived from them.
