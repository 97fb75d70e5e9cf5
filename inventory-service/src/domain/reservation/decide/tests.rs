//! Given events, when a command, then events.

use super::*;
use crate::domain::stock::{Elsewhere, Level};
use shared_events::{DEFAULT, EventBody as _, OrderId};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

/// An order and two products: five mugs and one cup.
struct Story {
    mug: ProductId,
    cup: ProductId,
    shelf: Shelf,
    reservation: Reservation,
    now: DateTime<Utc>,
}

fn given() -> Story {
    let (mug, cup) = (ProductId::generate(), ProductId::generate());
    let level = |on_hand| Level { on_hand, ..Level::default() };
    let mut shelf = Shelf::default();
    shelf.put(mug, level(5), Elsewhere::new());
    shelf.put(cup, level(1), Elsewhere::new());
    Story { mug, cup, shelf, reservation: Reservation::none(OrderId::generate()), now: at(0) }
}

impl Story {
    fn reserve(&self, revision: i32, demand: &[(ProductId, i64)]) -> Command {
        let demand = demand.iter().copied().collect();
        Command::Reserve { revision, demand, time_to_live: TimeDelta::seconds(60) }
    }

    fn place(&self, revision: i32, demand: &[(ProductId, i64)]) -> Command {
        Command::Place { revision, demand: demand.iter().copied().collect() }
    }

    fn when(&mut self, command: &Command) -> Vec<String> {
        let events = decide(&self.reservation, &self.shelf, command, self.now).unwrap();
        for event in &events {
            self.reservation = self.reservation.clone().evolve(event);
            self.shelf.apply(event);
        }
        events.iter().map(|event| event.event_type().to_owned()).collect()
    }

    fn and(mut self, command: &Command) -> Self {
        self.when(command);
        self
    }

    fn rejection(&self, command: &Command) -> Rejection {
        decide(&self.reservation, &self.shelf, command, self.now).unwrap_err()
    }

    fn mugs(&self) -> (i64, i64) {
        let level = self.shelf.level(self.mug).unwrap();
        (level.on_hand, level.reserved)
    }
}

const RELEASE: Command = Command::Release { revision: None, reason: None, keep_newer: None };
const ATTACH: Command = Command::Attach { revision: None };
const CONFIRM: Command = Command::Confirm { revision: None };

#[test]
fn stock_that_does_not_suffice_is_named_line_by_line() {
    let story = given();
    let all = story.reserve(1, &[(story.mug, 6), (story.cup, 2)]);
    let Rejection::InsufficientStock(short) = story.rejection(&all) else { panic!("it is short") };
    let mut named: Vec<_> = short.iter().map(|short| (short.requested, short.available)).collect();
    named.sort_unstable();
    assert_eq!(named, [(2, 1), (6, 5)]);
}

#[test]
fn a_pending_reservation_expires_when_its_time_is_over_and_not_before() {
    let mut story = given();
    story.when(&story.reserve(1, &[(story.mug, 3)]));
    story.now = at(59);
    assert!(story.when(&Command::Expire).is_empty());
    story.now = at(60);
    assert_eq!(story.when(&Command::Expire), ["ReservationExpired"]);
    assert_eq!(story.mugs(), (5, 0));
    assert!(story.when(&Command::Expire).is_empty());
}

#[test]
fn an_attached_reservation_never_expires() {
    let mut story = given();
    story.when(&story.reserve(1, &[(story.mug, 3)]));
    assert_eq!(story.when(&ATTACH), ["ReservationAttached"]);
    story.now = at(1_000);
    assert!(story.when(&Command::Expire).is_empty());
}

#[test]
fn an_order_that_is_told_of_twice_is_attached_once_and_never_after_its_release() {
    let mut story = given();
    let place = story.place(1, &[(story.mug, 3)]);
    story.when(&story.reserve(1, &[(story.mug, 3)]));
    assert_eq!(story.when(&place), ["ReservationAttached"]);
    assert!(story.when(&place).is_empty());
    assert_eq!(story.when(&CONFIRM), ["ReservationConfirmed"]);
    assert!(story.when(&place).is_empty());
    assert_eq!(story.when(&RELEASE), ["ReservationReleased"]);
    assert!(story.when(&place).is_empty());
    assert_eq!(story.rejection(&CONFIRM), Rejection::Gone(State::Released));
}

#[test]
fn an_order_whose_demand_was_never_reserved_is_reserved_or_lapses() {
    let mut story = given();
    assert_eq!(story.when(&story.place(1, &[(story.mug, 5)])), ["StockReserved"]);
    assert_eq!(story.reservation.state, State::Attached);
    let mut story = given();
    assert_eq!(story.when(&story.place(1, &[(story.mug, 6)])), ["ReservationLapsed"]);
    assert!(story.when(&story.place(1, &[(story.mug, 6)])).is_empty());
}

#[test]
fn a_newer_demand_of_the_order_moves_a_pending_reservation_and_attaches_it() {
    let mut story = given();
    story.when(&story.reserve(1, &[(story.mug, 3)]));
    let moved = story.when(&story.place(2, &[(story.mug, 1), (story.cup, 1)]));
    assert_eq!(moved, ["ReservationChanged", "ReservationAttached"]);
    assert_eq!((story.mugs(), story.reservation.revision), ((5, 1), 2));
}

#[test]
fn a_change_that_stock_does_not_suffice_for_gives_everything_back_and_lapses() {
    let mut story = given();
    story.when(&story.place(1, &[(story.mug, 3)]));
    let change = Command::Change { revision: Some(2), demand: [(story.mug, 6)].into() };
    assert_eq!(story.when(&change), ["ReservationReleased", "ReservationLapsed"]);
    assert_eq!((story.mugs(), story.reservation.state), ((5, 0), State::Lapsed));
}

#[test]
fn an_old_change_does_not_undo_a_newer_demand() {
    let mut story = given();
    story.when(&story.place(1, &[(story.mug, 3)]));
    story.when(&story.reserve(3, &[(story.mug, 2)]));
    assert!(story.when(&Command::Change { revision: Some(2), demand: [(story.mug, 5)].into() }).is_empty());
    assert!(story.when(&Command::Change { revision: Some(3), demand: [(story.mug, 2)].into() }).is_empty());
    assert_eq!(story.mugs(), (5, 2));
}

fn ship(location: &str, pieces: Quantities) -> Command {
    Command::Ship { shipment_id: ShipmentId::generate(), location: location.to_owned(), pieces }
}

#[test]
fn shipped_pieces_leave_the_shelf_and_the_reservation() {
    let mut story = given().and_placed(3);
    story.when(&ship(DEFAULT, [(story.mug, 2)].into()));
    assert_eq!(story.mugs(), (3, 1));
    story.when(&RELEASE);
    assert_eq!(story.mugs(), (3, 0));
}

#[test]
fn pieces_that_left_without_being_held_never_take_what_others_were_promised() {
    let mut story = given().and_placed(4);
    let other = Reservation::none(OrderId::generate());
    let ship = ship(DEFAULT, [(story.mug, 3)].into());
    let events = decide(&other, &story.shelf, &ship, story.now).unwrap();
    story.shelf.apply(&events[0]);
    assert_eq!(story.mugs(), (4, 4));
}

#[test]
fn a_demand_that_never_came_cannot_be_confirmed() {
    let story = given().and_placed(1);
    assert_eq!(story.rejection(&Command::Confirm { revision: Some(2) }), Rejection::NotReserved);
    assert_eq!(given().rejection(&ATTACH), Rejection::NotReserved);
}

#[test]
fn a_higher_release_raises_the_tombstone() {
    let mut story = given().and(&RELEASE);
    assert_eq!(story.reservation.revision, 1);
    assert!(story.when(&story.reserve(1, &[(story.mug, 1)])).is_empty());
    story.when(&Command::Release { revision: Some(4), reason: None, keep_newer: None });
    assert!(story.when(&story.reserve(4, &[(story.mug, 1)])).is_empty());
    assert_eq!(story.when(&story.reserve(5, &[(story.mug, 1)])), ["StockReserved"]);
}

const GIVEN_UP: Command =
    Command::Release { revision: Some(1), reason: None, keep_newer: Some(TimeDelta::seconds(60)) };

#[test]
fn stock_reserved_anew_before_the_order_gave_up_the_old_is_pending_until_the_order_asks_for_it() {
    let mut story = given().and_placed(3);
    assert_eq!(story.when(&story.reserve(2, &[(story.mug, 3)])), ["ReservationChanged"]);
    assert_eq!(story.when(&GIVEN_UP), ["ReservationReleased", "StockReserved"]);
    assert_eq!((story.reservation.state, story.reservation.revision), (State::Pending, 2));
    assert_eq!(story.mugs(), (5, 3));
    assert!(story.when(&GIVEN_UP).is_empty());
    assert_eq!(story.when(&story.place(2, &[(story.mug, 3)])), ["ReservationAttached"]);
    story.now = at(60);
    assert!(story.when(&Command::Expire).is_empty());
}

#[test]
fn stock_reserved_anew_that_the_order_never_asks_for_expires() {
    let mut story = given().and_placed(3).and(&CONFIRM);
    story.when(&story.reserve(2, &[(story.mug, 2)]));
    story.when(&GIVEN_UP);
    story.now = at(60);
    assert_eq!(story.when(&Command::Expire), ["ReservationExpired"]);
    assert_eq!(story.mugs(), (5, 0));
}

#[test]
fn a_change_that_the_order_numbered_attaches_what_is_pending() {
    let mut story = given().and_placed(3);
    story.when(&story.reserve(2, &[(story.mug, 2)]));
    story.when(&GIVEN_UP);
    let change = Command::Change { revision: Some(2), demand: [(story.mug, 2)].into() };
    assert_eq!(story.when(&change), ["ReservationAttached"]);
    assert!(story.when(&change).is_empty());
}

#[test]
fn a_caller_that_releases_an_old_demand_does_not_touch_a_newer_one() {
    let mut story = given().and_placed(3);
    story.when(&story.place(2, &[(story.mug, 3)]));
    assert!(story.when(&Command::Release { revision: Some(1), reason: None, keep_newer: None }).is_empty());
    assert_eq!(story.reservation.state, State::Attached);
}

impl Story {
    fn and_placed(mut self, mugs: i64) -> Self {
        self.when(&self.place(1, &[(self.mug, mugs)]));
        self
    }
}
