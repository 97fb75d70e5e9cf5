//! `oms role …`: the roles of the shop's own.

use auth_service::CustomRole;
use serde_json::{Value, json};

use crate::cli::{Role, RoleDelete, RoleList, RoleScopes};
use crate::system;

/// Runs one of the words after `oms role`.
pub async fn run(command: Role) -> anyhow::Result<()> {
    match command {
        Role::Create(RoleScopes { name, scopes, system }) => {
            show(&system::directory(&system).await?.create_role(&name, &scopes).await?);
        }
        Role::Change(RoleScopes { name, scopes, system }) => {
            show(&system::directory(&system).await?.change_role(&name, &scopes).await?);
        }
        Role::Delete(RoleDelete { name, system }) => system::directory(&system).await?.delete_role(&name).await?,
        Role::List(RoleList { json, system }) => {
            let roles = system::directory(&system).await?.roles().await?;
            if json {
                println!("{}", Value::from_iter(roles.iter().map(as_json)));
            } else {
                roles.iter().for_each(show);
            }
        }
    }
    Ok(())
}

fn show(role: &CustomRole) {
    println!("{}  {}", role.name, role.scopes);
}

fn as_json(role: &CustomRole) -> Value {
    let scopes: Vec<&str> = role.scopes.iter().map(web::Scope::as_str).collect();
    json!({ "name": role.name, "scopes": scopes, "version": role.version })
}
