//! An order's tags: a sorted set of short texts.

use crate::{FieldError, Order, Rejection};
use chrono::{DateTime, Utc};
use shared_events::order::{OrderEvent, TagsChanged};

/// How many tags an order may have.
const MOST_TAGS: usize = 50;
/// How many characters a tag may have.
const LONGEST_TAG: usize = 100;

/// Set its tags.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeTags {
    /// All of them from now on.
    pub tags: Vec<String>,
    /// When.
    pub now: DateTime<Utc>,
}

impl ChangeTags {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        let mut errors = Vec::new();
        for (index, tag) in self.tags.iter().enumerate() {
            if tag.trim().is_empty() || tag.chars().count() > LONGEST_TAG {
                let detail = format!("must have 1 to {LONGEST_TAG} characters");
                errors.push(FieldError::new(format!("/tags/{index}"), detail));
            }
        }
        let mut tags: Vec<_> = self.tags.iter().map(|tag| tag.trim().to_owned()).collect();
        tags.sort_unstable();
        tags.dedup();
        if tags.len() > MOST_TAGS {
            errors.push(FieldError::new("/tags", format!("an order has at most {MOST_TAGS} tags")));
        }
        if !errors.is_empty() {
            return Err(Rejection::Invalid(errors));
        }
        if tags == order.tags {
            return Ok(Vec::new());
        }
        Ok(vec![OrderEvent::from(TagsChanged { tags, occurred_at: self.now })])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn tags_are_a_sorted_set() {
        let tags = |tags: &[&str]| ChangeTags { tags: tags.iter().map(|&tag| tag.to_owned()).collect(), now: later(1) };
        let order = given([place()]).when(tags(&["vip", "gift", "vip"])).then(&["TagsChanged"]);
        assert_eq!(order.tags, ["gift", "vip"]);
        given([place(), tags(&["vip", "gift"]).into()]).when(tags(&["gift", "vip"])).then_nothing();
        given([place()]).when(tags(&["ok", ""])).then_invalid("/tags/1");
        let many: Vec<_> = (0..51).map(|number| number.to_string()).collect();
        given([place()]).when(ChangeTags { tags: many, now: later(1) }).then_invalid("/tags");
    }
}
