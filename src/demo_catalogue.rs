//! A dozen products with stock for a first look, brought in through inventory's own routes by a client like any other.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::credentials::Client;

/// Says that the catalogue was brought in once; what became of it since is the shop's own affair.
const MARKER: &str = "demo-catalogue-loaded";
const PRODUCTS: &str = include_str!("demo_catalogue.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    product: Value,
    on_hand: u32,
}

/// Loads the catalogue on the first start. A start that was cut short is taken up again: every product has an
/// idempotency key of its own, and stock is set, not added.
pub async fn load_once(url: &str, client: &Client, data_dir: &Path) -> anyhow::Result<()> {
    let marker = data_dir.join(MARKER);
    if marker.exists() {
        return Ok(());
    }
    let entries: Vec<Entry> = serde_json::from_str(PRODUCTS).context("the demo catalogue is not valid")?;
    let count = entries.len();
    let shop = Shop::log_in(url, client).await?;
    for entry in entries {
        shop.bring_in(&entry).await?;
    }
    fs::write(&marker, "").with_context(|| format!("cannot write {}", marker.display()))?;
    tracing::info!(products = count, "demo catalogue loaded");
    Ok(())
}

/// The skus of the catalogue.
pub fn skus() -> anyhow::Result<Vec<String>> {
    let entries: Vec<Entry> = serde_json::from_str(PRODUCTS).context("the demo catalogue is not valid")?;
    Ok(entries.iter().map(|entry| entry.product["sku"].as_str().unwrap_or_default().to_owned()).collect())
}

struct Shop<'a> {
    url: &'a str,
    http: reqwest::Client,
    token: String,
}

impl<'a> Shop<'a> {
    async fn log_in(url: &'a str, client: &Client) -> anyhow::Result<Self> {
        let http = service::peers::http_client()?;
        let response = http
            .post(format!("{url}/oauth/token"))
            .basic_auth(&client.client_id, client.client_secret.as_ref())
            .form(&[("grant_type", "client_credentials"), ("scope", "catalog:write inventory:write")])
            .send()
            .await
            .context("the authorization server does not answer")?;
        let answer: Value = response.json().await.context("the authorization server's answer is no JSON")?;
        let Some(token) = answer["access_token"].as_str() else {
            bail!("no token for the demo catalogue: {answer}");
        };
        Ok(Self { url, http, token: token.to_owned() })
    }

    async fn bring_in(&self, entry: &Entry) -> anyhow::Result<()> {
        let sku = entry.product["sku"].as_str().unwrap_or_default();
        let request = self
            .http
            .post(format!("{}/api/products", self.url))
            .header("idempotency-key", format!("demo-{sku}"))
            .bearer_auth(&self.token)
            .json(&entry.product);
        let (status, answer) = send(request).await?;
        match (status, answer["code"].as_str()) {
            (201, _) => {}
            (409, Some("SKU_TAKEN")) => return Ok(()),
            _ => bail!("the product {sku} was refused: {answer}"),
        }
        let product_id = answer["productId"].as_str().context("the new product has no id")?;
        let request = self
            .http
            .put(format!("{}/api/inventory/{product_id}", self.url))
            .bearer_auth(&self.token)
            .json(&json!({ "onHand": entry.on_hand, "reason": "demo catalogue" }));
        match send(request).await? {
            (200, _) => Ok(()),
            (_, answer) => bail!("the stock of {sku} was refused: {answer}"),
        }
    }
}

async fn send(request: reqwest::RequestBuilder) -> anyhow::Result<(u16, Value)> {
    let response = request.send().await.context("inventory does not answer")?;
    let status = response.status().as_u16();
    Ok((status, response.json().await.unwrap_or_default()))
}
