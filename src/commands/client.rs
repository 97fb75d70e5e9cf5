//! `oms client create`: registers a client that gets tokens by itself.

use anyhow::{Context, bail};
use auth_service::{ClientRules, Grant, Secrecy};
use serde_json::json;

use crate::cli::{Client, ClientCreate};
use crate::system;

/// Runs one of the words after `oms client`.
pub async fn run(command: Client) -> anyhow::Result<()> {
    match command {
        Client::Create(options) => create(options).await,
    }
}

async fn create(options: ClientCreate) -> anyhow::Result<()> {
    let mut grants = options.grants;
    if grants.is_empty() {
        let usual = if options.public { Grant::AuthorizationCode } else { Grant::ClientCredentials };
        grants.push(usual.as_str().to_owned());
    }
    let jwks: Option<serde_json::Value> = match &options.jwks {
        Some(file) => {
            let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            let jwks = serde_json::from_slice(&text);
            Some(jwks.with_context(|| format!("{} is not JSON", file.display()))?)
        }
        None => None,
    };
    let rules = ClientRules {
        name: &options.name,
        scopes: &options.scopes,
        grants: &grants,
        redirect_uris: &options.redirect_uris,
        post_logout_redirect_uris: &options.post_logout_redirect_uris,
        first_party: options.first_party,
        jwks: jwks.as_ref(),
        public: options.public,
    };
    let spec = match rules.check() {
        Ok(spec) => spec,
        Err((_, reason)) => bail!(reason),
    };
    let secrecy = if options.public || options.jwks.is_some() { Secrecy::Public } else { Secrecy::Generated };
    let (id, secret) = system::directory(&options.system).await?.create_client(&spec, secrecy).await?;
    let secret = secret.as_ref().map(auth_service::Secret::expose);
    if options.json {
        println!("{}", json!({ "clientId": id.to_string(), "clientSecret": secret }));
    } else {
        println!("client id      {id}");
        if let Some(secret) = secret {
            println!("client secret  {secret}");
        }
    }
    Ok(())
}
