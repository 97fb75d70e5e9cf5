use super::*;
use crate::discounts::Terms;
use order::pricing::DiscountKind;
use shared_events::inventory::ProductStatus;

fn product(status: ProductStatus) -> CatalogueProduct {
    let product_id = ProductId::generate();
    let (sku, name, tax_class) = (product_id.to_string(), "A mug".to_owned(), "standard".to_owned());
    CatalogueProduct { product_id, sku, name, status, tax_class, unit_price: None }
}

#[test]
fn a_quote_keeps_the_price_of_a_product_but_sells_none_that_is_archived_or_gone() {
    let (sold, archived, gone) =
        (product(ProductStatus::Active), product(ProductStatus::Archived), ProductId::generate());
    let products = [sold, archived];
    let ids = products.clone().map(|product| product.product_id);
    assert_eq!(still_sold(&ids[..1], &products), Ok(()), "whatever it costs now, if anything");
    let refused = still_sold(&[ids[0], ids[1], gone], &products).unwrap_err();
    let Rejection::Invalid(errors) = refused else { panic!("{refused:?}") };
    let [first, second] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!((first.pointer.as_str(), second.pointer.as_str()), ("/quoteId", "/quoteId"));
    assert!(first.detail.contains(&ids[1].to_string()) && second.detail.contains(&gone.to_string()), "{errors:?}");
}

#[test]
fn a_discount_per_customer_needs_to_know_whose_use_it_is() {
    let discount = |limit_per_customer| StoredDiscount {
        terms: Terms {
            code: "ONCE".to_owned(),
            kind: DiscountKind::Percentage,
            value: Decimal::TEN,
            currency: None,
            written: "10".into(),
            valid_from: None,
            valid_to: None,
            limit: Some(1),
            limit_per_customer,
        },
        uses: 0,
        uses_of_customer: 0,
        version: 1,
        created_at: now(),
    };
    assert!(whose(Some(&discount(Some(1))), None).is_err());
    assert!(whose(Some(&discount(Some(1))), Some("guest/1")).is_ok());
    assert!(whose(Some(&discount(None)), None).is_ok());
    assert!(whose(None, None).is_ok());
}
