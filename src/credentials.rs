//! The development credentials: made once at random, kept in the data folder for its owner alone, and told on every
//! start. Nothing here is ever used by `oms serve`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context;
use auth_service::{ClientSpec, Directory, Grant, Role, Secret};
use serde::{Deserialize, Serialize};
use web::{Scope, Scopes};

use crate::{private_file, random};

const FILE_NAME: &str = "credentials.json";
const SECRET_LENGTH: usize = 48;
const PASSWORD_LENGTH: usize = 24;

/// What is kept: the secrets, not the ids, which the directory gives out.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    service_client_secret: String,
    users: Vec<User>,
}

/// A user to log in with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// The e-mail address to log in with.
    pub email: String,
    /// The password to log in with.
    pub password: String,
    /// `customer`, `staff` or `admin`.
    pub role: String,
}

/// A client to get tokens with.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// What it is for: `service`, `storefront` or `console`.
    pub name: &'static str,
    /// The id to send.
    pub client_id: String,
    /// The secret to send; a public client has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Where codes may be sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    /// The most it may ask for.
    pub scopes: Vec<&'static str>,
}

/// The clients and users of a development system.
#[derive(Debug)]
pub struct Credentials {
    /// The clients, `service` first.
    pub clients: Vec<Client>,
    /// The users whose passwords are known.
    pub users: Vec<User>,
}

/// Makes the development clients and users unless they are there, for a system that answers at `url`.
pub async fn ensure(directory: &Directory, data_dir: &Path, url: &str) -> anyhow::Result<Credentials> {
    let kept = load_or_generate(data_dir)?;
    let mut clients = Vec::new();
    for (name, spec, secret) in client_specs(url, &kept)? {
        let ensured = directory
            .ensure_client(&spec, secret.as_ref())
            .await
            .with_context(|| format!("cannot make the development client {name}"))?;
        clients.push(Client {
            name,
            client_id: ensured.id.to_string(),
            client_secret: secret.as_ref().map(|secret| secret.expose().to_owned()),
            redirect_uris: spec.redirect_uris.clone(),
            scopes: spec.scopes.iter().map(Scope::as_str).collect(),
        });
    }
    let mut users = Vec::new();
    for user in kept.users {
        let role = [Role::Customer, Role::Staff, Role::Admin].into_iter().find(|role| role.as_str() == user.role);
        let role = role.with_context(|| format!("a development user has the unknown role {}", user.role))?;
        directory
            .ensure_user(&user.email, &Secret::new(user.password.as_str()), role)
            .await
            .with_context(|| format!("cannot make the development user {}", user.email))?;
        users.push(user);
    }
    Ok(Credentials { clients, users })
}

fn client_specs(url: &str, kept: &Kept) -> anyhow::Result<Vec<(&'static str, ClientSpec, Option<Secret>)>> {
    anyhow::ensure!(kept.service_client_secret.len() >= SECRET_LENGTH, "the kept client secret was cut short");
    let storefront = [
        Scope::OrdersRead,
        Scope::OrdersWrite,
        Scope::InventoryRead,
        Scope::InvoicesRead,
        Scope::OpenId,
        Scope::Profile,
        Scope::Email,
        Scope::OfflineAccess,
    ];
    let browser = |name: &str, scopes: Scopes, path: &str| ClientSpec {
        name: name.to_owned(),
        scopes,
        grants: vec![Grant::AuthorizationCode, Grant::RefreshToken],
        redirect_uris: vec![format!("{url}{path}")],
        post_logout_redirect_uris: vec![format!("{url}{path}")],
        first_party: true,
        jwks: None,
    };
    let service = ClientSpec {
        name: "service".to_owned(),
        scopes: Scopes::all(),
        grants: vec![Grant::ClientCredentials, Grant::RefreshToken],
        ..ClientSpec::default()
    };
    Ok(vec![
        ("service", service, Some(Secret::new(kept.service_client_secret.as_str()))),
        ("storefront", browser("storefront", storefront.into_iter().collect(), "/storefront/callback"), None),
        ("console", browser("console", Scopes::all(), "/console/callback"), None),
    ])
}

fn load_or_generate(data_dir: &Path) -> anyhow::Result<Kept> {
    let path = data_dir.join(FILE_NAME);
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} cannot be read", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let kept = generate();
            private_file::write(&path, &serde_json::to_vec_pretty(&kept)?)?;
            Ok(kept)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn generate() -> Kept {
    let user = |role: &str| User {
        email: format!("{role}@example.com"),
        password: random::text(PASSWORD_LENGTH),
        role: role.to_owned(),
    };
    Kept {
        service_client_secret: random::text(SECRET_LENGTH),
        users: ["admin", "staff", "customer"].map(user).to_vec(),
    }
}
