//! Invoices and credit notes that follow order events.
