//! What is sold: the demo catalogue that `oms up` brings in. A system without it is somebody's shop, and is left alone.

use anyhow::bail;

use super::tally::Tally;
use crate::demo_catalogue;
use crate::system::{Api, Call};

/// A product that can be bought.
#[derive(Debug, Clone)]
pub struct Goods {
    /// Its id.
    pub product_id: String,
    /// Its sku.
    pub sku: String,
}

/// Those of the demo catalogue that this system sells.
pub async fn goods(api: &Api, tally: &Tally) -> anyhow::Result<Vec<Goods>> {
    let mut goods = Vec::new();
    for sku in demo_catalogue::skus()? {
        let found = api.call(&Call::get(format!("/api/products?sku={sku}")), |attempt| tally.saw(attempt)).await?;
        let product = &found.body["items"][0];
        if found.status == 200 && product["status"] == "ACTIVE" {
            goods.push(Goods { product_id: product["productId"].as_str().unwrap_or_default().to_owned(), sku });
        }
    }
    if goods.is_empty() {
        bail!("this system has no demo catalogue: `oms up` brings it in at its first start");
    }
    Ok(goods)
}
