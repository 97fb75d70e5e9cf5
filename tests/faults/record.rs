//! What the clients did and were told. Nothing here comes from the system's own tables.

/// What came of a command, as far as its client knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A 2xx was read to its end.
    Acknowledged,
    /// A definite no, with its code.
    Refused(String),
    /// The client gave up without an answer: it may have happened, once.
    Unknown,
}

/// An order that a client wanted.
#[derive(Debug, Clone)]
pub struct Placing {
    /// The Idempotency-Key, which is also the order's `externalId`: one order at most may carry it.
    pub key: String,
    /// Products by their place in the shop, and pieces.
    pub lines: Vec<(usize, i64)>,
    /// Id, number and total, once it is acknowledged.
    pub order: Option<Placed>,
    pub outcome: Outcome,
}

/// What an acknowledgement of an order said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub order_id: String,
    pub number: String,
    /// A decimal as text.
    pub total: String,
}

/// Something that was done to an order.
#[derive(Debug, Clone)]
pub struct Deed {
    pub order_id: String,
    pub what: What,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Paid { payment_id: String, amount: String },
    Cancelled { reason: String },
    Noted { note: String },
}

/// Everything of a run.
#[derive(Debug, Default)]
pub struct Record {
    pub placings: Vec<Placing>,
    pub deeds: Vec<Deed>,
    /// Answers that no fault excuses.
    pub complaints: Vec<String>,
    /// Requests that were sent, repeats included.
    pub requests: usize,
    /// Requests that a repeat answered.
    pub repeats: usize,
}

impl Record {
    pub fn merge(&mut self, other: Self) {
        self.placings.extend(other.placings);
        self.deeds.extend(other.deeds);
        self.complaints.extend(other.complaints);
        self.requests += other.requests;
        self.repeats += other.repeats;
    }

    pub fn acknowledged(&self) -> usize {
        self.outcomes().filter(|outcome| **outcome == Outcome::Acknowledged).count()
    }

    pub fn unknown(&self) -> usize {
        self.outcomes().filter(|outcome| **outcome == Outcome::Unknown).count()
    }

    pub fn refused(&self) -> usize {
        self.outcomes().filter(|outcome| matches!(outcome, Outcome::Refused(_))).count()
    }

    fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.placings.iter().map(|placing| &placing.outcome).chain(self.deeds.iter().map(|deed| &deed.outcome))
    }
}
