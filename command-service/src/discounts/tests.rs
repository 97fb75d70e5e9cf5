use super::{uses::Use, *};
use crate::checkouts::{Checkout, settle};
use futures_util::future::join_all;
use shared_events::OrderId;

fn terms(code: &str, limit: Option<i64>, limit_per_customer: Option<i64>) -> Terms {
    Terms {
        code: code.to_owned(),
        kind: DiscountKind::Percentage,
        value: Decimal::TEN,
        currency: None,
        written: "10".into(),
        valid_from: None,
        valid_to: None,
        limit,
        limit_per_customer,
    }
}

async fn discounts() -> (test_support::TestDatabase, Discounts) {
    let database = test_support::database().await;
    let pool = crate::open_schema(&database).await.unwrap();
    (database, Discounts { pool })
}

#[tokio::test]
async fn a_limit_holds_however_many_ask_at_once() {
    let (_database, discounts) = discounts().await;
    discounts.insert(&terms("TEN", Some(3), None)).await.unwrap().unwrap();
    let numbers: Vec<String> = (0..12).map(|number| format!("R-{number:09}")).collect();
    let claims = numbers.iter().map(|number| {
        discounts.claim(Use { code: "ten", order_number: number, order_id: OrderId::generate(), customer: None })
    });
    let claimed: Vec<bool> = join_all(claims).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(claimed.iter().filter(|claimed| **claimed).count(), 3);
    let won = numbers.iter().zip(&claimed).find_map(|(number, claimed)| claimed.then_some(number)).unwrap();
    discounts.give_back("TEN", won).await.unwrap();
    let again = Use { code: "TEN", order_number: "R-1", order_id: OrderId::generate(), customer: None };
    assert!(discounts.claim(again).await.unwrap(), "what was given back can be claimed");
    assert!(discounts.claim(again).await.unwrap(), "a repeat has it already");
    let stored = discounts.find("Ten").await.unwrap().unwrap();
    assert_eq!(stored.uses, 3);
    assert!(stored.granted(Currency::EUR, DateTime::UNIX_EPOCH).unwrap_err().contains("used up"));
}

#[tokio::test]
async fn a_customer_has_a_limit_of_their_own_and_attempts_at_one_order_count_once() {
    let (_database, discounts) = discounts().await;
    discounts.insert(&terms("ONCE", None, Some(1))).await.unwrap().unwrap();
    let order_id = OrderId::generate();
    let by = |customer, order_number, order_id| Use { code: "ONCE", order_number, order_id, customer };
    assert!(discounts.claim(by(Some("ada"), "R-1", order_id)).await.unwrap());
    assert!(discounts.claim(by(Some("ada"), "R-2", order_id)).await.unwrap(), "the same order under another key");
    assert!(!discounts.claim(by(Some("ada"), "R-3", OrderId::generate())).await.unwrap());
    assert!(discounts.claim(by(Some("eve"), "R-4", OrderId::generate())).await.unwrap());
    assert!(!discounts.claim(by(None, "R-5", OrderId::generate())).await.unwrap(), "nobody knows who this is");
}

#[tokio::test]
async fn an_order_counts_once_whoever_tells_it_and_however_often() {
    let (_database, discounts) = discounts().await;
    discounts.insert(&terms("TEN", Some(2), None)).await.unwrap().unwrap();
    let order_id = OrderId::generate();
    for order_number in ["R-1", "R-2"] {
        let wanted = Use { code: "TEN", order_number, order_id, customer: None };
        assert!(discounts.claim(wanted).await.unwrap());
    }
    let checkout = Checkout {
        order_id,
        order_number: "R-2".to_owned(),
        customer: None,
        cart_id: None,
        is_quoted: false,
        codes: vec!["TEN".to_owned()],
    };
    let mut client = discounts.pool.get().await.unwrap();
    for _ in 0..2 {
        let transaction = client.transaction().await.unwrap();
        settle(&transaction, &checkout).await.unwrap();
        transaction.commit().await.unwrap();
    }
    discounts.give_back("TEN", "R-2").await.unwrap();
    let rows = client.query("SELECT order_number, used FROM discount_use", &[]).await.unwrap();
    assert_eq!(rows.len(), 1, "the attempt that lost is gone, and an order that exists is not given back");
    assert_eq!((rows[0].get::<_, &str>(0), rows[0].get::<_, bool>(1)), ("R-2", true));
}

#[test]
fn a_guest_is_known_by_their_address_in_any_case() {
    let contact = |email: &str| Contact { email: email.to_owned(), phone: None, name: None };
    let ada = user_of(None, Some(&contact("Ada@Example.org")));
    assert_eq!(ada, user_of(None, Some(&contact("ada@example.org"))));
    assert_ne!(ada, user_of(None, Some(&contact("eve@example.org"))));
    assert_eq!(user_of(None, None), None);
}
