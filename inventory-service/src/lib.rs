//! Catalogue, prices, stock and reservations.
