//! What a product may look like. Everything that comes from outside is parsed here, once; the rest of the service
//! only sees [`ProductDetails`] that keep these rules.

use shared_events::inventory::{ProductDetails, ProductImage};
use shared_events::{Attributes, DEFAULT};

/// The tax class of products that name none.
pub const STANDARD_TAX_CLASS: &str = "standard";

const LONGEST_SKU: usize = 100;
const LONGEST_NAME: usize = 500;
const LONGEST_DESCRIPTION: usize = 20_000;
const LONGEST_CODE: usize = 100;
const MOST_ATTRIBUTES: usize = 100;
const LONGEST_ATTRIBUTE: usize = 2_000;

/// A product as somebody describes it.
#[derive(Debug, Clone, Default)]
pub struct ProductDraft {
    /// The shop's own code for it.
    pub sku: String,
    /// What people call it.
    pub name: String,
    /// More words.
    pub description: Option<String>,
    /// Which tax rate applies.
    pub tax_class: Option<String>,
    /// Where it is sold.
    pub channel: Option<String>,
    /// Who sells it.
    pub legal_entity: Option<String>,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// What the shop wants to remember about it.
    pub attributes: Attributes,
    /// Whether more may be sold than there is.
    pub backorder: bool,
    /// Below this, stock is low.
    pub low_stock_threshold: Option<i64>,
    /// Its pictures, which have rules of their own ([`super::image`]).
    pub images: Vec<ProductImage>,
}

/// A rule that a value breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct BrokenRule {
    /// JSON pointer of the value.
    pub pointer: String,
    /// The rule.
    pub rule: String,
}

/// Every rule that was broken.
pub type BrokenRules = Vec<BrokenRule>;

impl ProductDraft {
    /// The product it describes.
    ///
    /// # Errors
    /// Every rule it breaks, not just the first.
    pub fn parse(self) -> Result<ProductDetails, BrokenRules> {
        let mut broken = BrokenRules::new();
        let mut check = |pointer: &str, text: &str, longest: usize| {
            if text.trim().is_empty() || text.chars().count() > longest {
                broken.push(rule(pointer, format!("must have 1 to {longest} characters, not only spaces")));
            }
        };
        let tax_class = self.tax_class.unwrap_or_else(|| STANDARD_TAX_CLASS.to_owned());
        let channel = self.channel.unwrap_or_else(|| DEFAULT.to_owned());
        let legal_entity = self.legal_entity.unwrap_or_else(|| DEFAULT.to_owned());
        check("/sku", &self.sku, LONGEST_SKU);
        check("/name", &self.name, LONGEST_NAME);
        check("/taxClass", &tax_class, LONGEST_CODE);
        check("/channel", &channel, LONGEST_CODE);
        check("/legalEntity", &legal_entity, LONGEST_CODE);
        if let Some(external_id) = &self.external_id {
            check("/externalId", external_id, LONGEST_CODE);
        }
        if self.sku.chars().any(|letter| letter.is_control() || letter.is_whitespace() && letter != ' ') {
            broken.push(rule("/sku", "must not contain control characters".to_owned()));
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
            broken.push(rule("/description", format!("must have at most {LONGEST_DESCRIPTION} characters")));
        }
        if self.attributes.len() > MOST_ATTRIBUTES {
            broken.push(rule("/attributes", format!("must have at most {MOST_ATTRIBUTES} entries")));
        }
        for (name, value) in &self.attributes {
            if name.is_empty() || name.chars().count() > LONGEST_CODE || value.chars().count() > LONGEST_ATTRIBUTE {
                let pointer = format!("/attributes/{}", name.replace('~', "~0").replace('/', "~1"));
                let lengths =
                    format!("takes names of 1 to {LONGEST_CODE} and values up to {LONGEST_ATTRIBUTE} characters");
                broken.push(rule(&pointer, lengths));
            }
        }
        if self.low_stock_threshold.is_some_and(|threshold| threshold < 0) {
            broken.push(rule("/lowStockThreshold", "must not be negative".to_owned()));
        }
        if !broken.is_empty() {
            return Err(broken);
        }
        Ok(ProductDetails {
            sku: self.sku.trim().to_owned(),
            name: self.name.trim().to_owned(),
            description: self.description.filter(|text| !text.is_empty()),
            tax_class,
            channel,
            legal_entity,
            external_id: self.external_id,
            attributes: self.attributes,
            backorder: self.backorder,
            low_stock_threshold: self.low_stock_threshold,
            images: self.images,
        })
    }
}

fn rule(pointer: &str, rule: String) -> BrokenRule {
    BrokenRule { pointer: pointer.to_owned(), rule }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mug() -> ProductDraft {
        ProductDraft { sku: "MUG-1".to_owned(), name: "Mug".to_owned(), ..ProductDraft::default() }
    }

    #[test]
    fn a_product_needs_only_a_sku_and_a_name() {
        let mug = mug().parse().unwrap();
        assert_eq!((mug.tax_class.as_str(), mug.channel.as_str()), (STANDARD_TAX_CLASS, DEFAULT));
        assert!(!mug.backorder);
    }

    #[test]
    fn every_broken_rule_is_named_with_its_place() {
        let draft = ProductDraft {
            sku: " ".to_owned(),
            name: "x".repeat(LONGEST_NAME + 1),
            low_stock_threshold: Some(-1),
            attributes: [(String::new(), "x".to_owned())].into(),
            ..ProductDraft::default()
        };
        let pointers: Vec<_> = draft.parse().unwrap_err().into_iter().map(|broken| broken.pointer).collect();
        assert_eq!(pointers, ["/sku", "/name", "/attributes/", "/lowStockThreshold"]);
    }
}
