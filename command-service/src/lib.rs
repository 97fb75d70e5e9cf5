//! The command side of orders: REST commands to events.
