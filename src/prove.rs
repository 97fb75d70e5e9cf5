//! Proving on a running system, over its public API alone, that stock is never oversold: thousands of buyers for a few
//! pieces. It believes no answer that another answer does not confirm, and states the law behind each of its checks.

mod aftermath;
mod books;
mod law;
mod report;
mod rush;
mod shop;
mod steps;

pub use law::Laws;
pub use report::Report;
pub use shop::Shop;

use std::time::Instant;

/// What is tried.
#[derive(Debug, Clone, Copy)]
pub struct Attack {
    /// How many buyers each want one piece at the same time.
    pub buyers: usize,
    /// How many pieces there are.
    pub units: usize,
    /// How many requests are under way at a time.
    pub concurrency: usize,
}

/// Sells the shop's product to all buyers at once, lets them pay, fail, cancel and come back, and closes the books.
///
/// # Errors
/// If the system stays away or does not take what has nothing to do with selling.
pub async fn oversell(shop: &Shop, attack: Attack, says: impl Fn(&str)) -> anyhow::Result<Report> {
    let (began, mut laws) = (Instant::now(), Laws::default());
    says(&format!("{} buyers for {} pieces, {} requests at a time", attack.buyers, attack.units, attack.concurrency));
    let rush = rush::rush(shop, attack, &mut laws).await?;
    says(&format!("{} sold, {} refused; now they pay, cancel and come back", rush.figures.sold, rush.figures.refused));
    let aftermath = aftermath::run(shop, attack, rush.sales, &mut laws).await?;
    says("closing the books");
    let books = books::close(shop, attack, &aftermath.orders, &mut laws).await?;
    shop.archive().await?;
    let laws = laws.all();
    Ok(Report {
        proven: laws.iter().all(law::Law::holds),
        product_id: shop.product().to_owned(),
        buyers: attack.buyers,
        units: attack.units,
        concurrency: attack.concurrency,
        rush: rush.figures,
        aftermath: aftermath.figures,
        books,
        repeated_attempts: shop.repeated(),
        laws,
        seconds: began.elapsed().as_secs_f64(),
    })
}
