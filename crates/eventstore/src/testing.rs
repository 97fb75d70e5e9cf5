//! Given these events, when this command, then those events or that rejection: how deciders are tested.
//!
//! ```ignore
//! given::<Orders>([placed]).when(Cancel { reason }).then([cancelled]);
//! given::<Orders>([placed, shipped]).when(Cancel { reason }).then_rejected(&Rejection::NotCancellable);
//! ```

use crate::Decider;
use std::fmt::Debug;

/// A stream with these events.
pub fn given<D: Decider>(events: impl IntoIterator<Item = D::Event>) -> Given<D> {
    Given { state: events.into_iter().fold(D::State::default(), |state, event| D::evolve(state, &event)) }
}

/// A stream in some state.
#[derive(Debug)]
pub struct Given<D: Decider> {
    state: D::State,
}

impl<D: Decider> Given<D> {
    /// Its state, for assertions on what is derived from it.
    pub const fn state(&self) -> &D::State {
        &self.state
    }

    /// Decides a command.
    #[must_use]
    pub fn when(self, command: D::Command) -> When<D> {
        let decided = D::decide(&self.state, command);
        When { state: self.state, decided }
    }
}

/// What was decided.
pub struct When<D: Decider> {
    state: D::State,
    decided: Result<Vec<D::Event>, D::Rejection>,
}

impl<D> When<D>
where
    D: Decider<Event: PartialEq + Debug, Rejection: PartialEq + Debug>,
{
    /// Exactly these events happened. Gives the stream after them.
    ///
    /// # Panics
    /// If other events happened, or the command was rejected.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = D::Event>) -> Given<D> {
        match self.decided {
            Ok(events) => {
                assert_eq!(events, expected.into_iter().collect::<Vec<_>>(), "other events happened");
                Given { state: events.iter().fold(self.state, D::evolve) }
            }
            Err(rejection) => panic!("the command was rejected: {rejection:?}"),
        }
    }

    /// Some events happened that satisfy `check`. Gives the stream after them.
    ///
    /// # Panics
    /// If the command was rejected.
    #[track_caller]
    pub fn then_events(self, check: impl FnOnce(&[D::Event])) -> Given<D> {
        match self.decided {
            Ok(events) => {
                check(&events);
                Given { state: events.iter().fold(self.state, D::evolve) }
            }
            Err(rejection) => panic!("the command was rejected: {rejection:?}"),
        }
    }

    /// Nothing happened, and that was fine.
    ///
    /// # Panics
    /// If something happened, or the command was rejected.
    #[track_caller]
    pub fn then_nothing(self) -> Given<D> {
        self.then([])
    }

    /// The command was rejected for this reason.
    ///
    /// # Panics
    /// If events happened, or it was rejected for another reason.
    #[track_caller]
    pub fn then_rejected(self, expected: &D::Rejection) {
        match self.decided {
            Ok(events) => panic!("the command was not rejected: {events:?}"),
            Err(rejection) => assert_eq!(&rejection, expected, "rejected for another reason"),
        }
    }
}
