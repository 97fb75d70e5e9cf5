//! What payment providers are to do for an order as it stands: take what they hold, give it back, send captured money
//! back. Asking again gives the same answer, so a repeat does no harm, and a lost one is made up for by the next.

use crate::{
    Order,
    amounts::{minus, sum, surplus},
    order::{Payment, PaymentState},
};
use rust_decimal::Decimal;
use shared_events::RefundId;

/// When money that a provider holds is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CapturePolicy {
    /// As soon as the order is covered.
    #[default]
    Confirm,
    /// When the first goods leave.
    Dispatch,
    /// By somebody else.
    Never,
}

impl CapturePolicy {
    /// Reads its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "confirm" => Some(Self::Confirm),
            "dispatch" => Some(Self::Dispatch),
            "never" => Some(Self::Never),
            _ => None,
        }
    }
}

impl Order {
    /// How much of each payment that is held the order still needs, in their order.
    fn needed(&self) -> impl Iterator<Item = (&Payment, Decimal)> {
        let required = sum(self.charges().into_iter().map(|charge| charge.amount));
        let mut lacking = self.currency.round(surplus(required, self.refundable_total()));
        let held = self.payments.iter().filter(|payment| payment.status == PaymentState::Authorized);
        held.filter(|payment| payment.authorized > Decimal::ZERO).map(move |payment| {
            let share = payment.authorized.min(lacking);
            lacking = minus(lacking, share);
            (payment, share)
        })
    }

    /// What is to be captured now of the payments that are held, and how much of each.
    #[must_use]
    pub fn captures(&self, policy: CapturePolicy) -> Vec<(&Payment, Decimal)> {
        let due = match policy {
            CapturePolicy::Never => false,
            CapturePolicy::Confirm => self.was_dispatched() || (self.covered() && self.hold.is_none()),
            CapturePolicy::Dispatch => self.was_dispatched(),
        };
        self.needed().filter(|(_, share)| due && *share > Decimal::ZERO).collect()
    }

    /// The payments that are held and not needed: the order is over, or others bring in all that it costs.
    #[must_use]
    pub fn voids(&self) -> Vec<&Payment> {
        self.needed().filter(|(_, share)| share.is_zero()).map(|(payment, _)| payment).collect()
    }

    /// The payments of a provider that a refund goes back to, and how much to each; none where they do not suffice, so
    /// that it is for somebody else. `sent_back` tells what is on its way back to a payment already.
    #[must_use]
    pub fn refund_parts(
        &self,
        refund_id: RefundId,
        provider: &str,
        sent_back: impl Fn(&str) -> Decimal,
    ) -> Option<Vec<(String, Decimal)>> {
        let refund = self.refund(refund_id)?;
        let mut lacking = refund.amount;
        let mut parts = Vec::new();
        let named = |payment: &&Payment| refund.payment_id.as_ref().is_none_or(|id| *id == payment.payment_id);
        for payment in self.payments.iter().filter(named) {
            if payment.provider.as_deref() != Some(provider) {
                continue;
            }
            let share = surplus(payment.captured, sent_back(&payment.payment_id)).min(lacking);
            if share > Decimal::ZERO {
                lacking = minus(lacking, share);
                parts.push((payment.payment_id.clone(), share));
            }
        }
        lacking.is_zero().then_some(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, Party, RefundWhat, testing::*};

    fn order(history: &[Command]) -> Order {
        given(history.to_vec()).order
    }

    fn captures(order: &Order, policy: CapturePolicy) -> Vec<(&str, String)> {
        let list = order.captures(policy).into_iter();
        list.map(|(payment, amount)| (payment.payment_id.as_str(), amount.to_string())).collect()
    }

    fn voids(order: &Order) -> Vec<&str> {
        order.voids().into_iter().map(|payment| payment.payment_id.as_str()).collect()
    }

    #[test]
    fn held_money_is_captured_when_the_policy_says() {
        let confirmed = order(&[place(), authorize("p", "39.00")]);
        assert_eq!(captures(&confirmed, CapturePolicy::Confirm), [("p", "39.00".to_owned())]);
        assert_eq!(captures(&confirmed, CapturePolicy::Dispatch), []);
        let sent = order(&[place(), authorize("p", "39.00"), set_status("SHIPPED")]);
        assert_eq!(captures(&sent, CapturePolicy::Dispatch), [("p", "39.00".to_owned())]);
        assert_eq!(captures(&sent, CapturePolicy::Never), []);
        assert!(voids(&sent).is_empty());
        let partly = order(&[place(), authorize("p", "10.00")]);
        assert_eq!(captures(&partly, CapturePolicy::Confirm), [], "it is not covered yet");
    }

    #[test]
    fn no_more_is_captured_than_the_order_costs_and_what_is_left_over_is_given_back() {
        let twice = order(&[place(), authorize("p", "30.00"), authorize("q", "39.00"), authorize("r", "39.00")]);
        let expected = [("p", "30.00".to_owned()), ("q", "9.00".to_owned())];
        assert_eq!(captures(&twice, CapturePolicy::Confirm), expected);
        assert_eq!(voids(&twice), ["r"]);
        let paid = order(&[place(), authorize("p", "39.00"), pay("q", "39.00")]);
        assert_eq!(voids(&paid), ["p"]);
    }

    #[test]
    fn an_order_that_is_over_gives_back_what_is_held() {
        let cancelled = order(&[place(), authorize("p", "39.00"), cancel(Party::Customer)]);
        assert_eq!(voids(&cancelled), ["p"]);
        assert_eq!(captures(&cancelled, CapturePolicy::Confirm), []);
    }

    #[test]
    fn an_order_on_hold_is_not_charged() {
        let held = order(&[
            place(),
            authorize("p", "39.00"),
            crate::HoldOrder { reason: "looks odd".to_owned(), now: later(3) }.into(),
        ]);
        assert_eq!(captures(&held, CapturePolicy::Confirm), []);
        assert!(voids(&held).is_empty());
    }

    fn paid_by(provider: Option<&str>, payment_id: &str, amount: &str) -> Command {
        crate::CompletePayment { provider: provider.map(str::to_owned), ..captured(payment_id, amount) }.into()
    }

    #[test]
    fn a_refund_goes_back_to_the_payments_of_its_provider_as_far_as_they_reach() {
        let history = [
            place(),
            paid_by(Some("x"), "p", "20.00"),
            paid_by(Some("x"), "q", "19.00"),
            refund(1, RefundWhat::Everything),
        ];
        let order = order(&history);
        let nothing = |_: &str| Decimal::ZERO;
        let both = vec![("p".to_owned(), dec("20.00")), ("q".to_owned(), dec("19.00"))];
        assert_eq!(order.refund_parts(refund_id(1), "x", nothing), Some(both));
        assert_eq!(order.refund_parts(refund_id(1), "y", nothing), None);
        let some = |id: &str| if id == "p" { dec("1.00") } else { Decimal::ZERO };
        assert_eq!(order.refund_parts(refund_id(1), "x", some), None, "not all of it could go back");
    }

    #[test]
    fn a_refund_of_a_payment_that_somebody_reported_is_for_somebody_else() {
        let order = order(&[place(), pay("p", "39.00"), refund(1, RefundWhat::Everything)]);
        assert_eq!(order.refund_parts(refund_id(1), "x", |_| Decimal::ZERO), None);
    }
}
