//! `oms client create`: registers a client that gets tokens by itself.

use anyhow::bail;
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
    let rules = ClientRules {
        name: &options.name,
        scopes: &options.scopes,
        grants: &grants,
        redirect_uris: &options.redirect_uris,
        post_logout_redirect_uris: &options.post_logout_redirect_uris,
        first_party: options.first_party,
        public: options.public,
    };
    let spec = match rules.check() {
        Ok(spec) => spec,
        Err((_, reason)) => bail!(reason),
    };
    let secrecy = if options.public { Secrecy::Public } else { Secrecy::Generated };
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
