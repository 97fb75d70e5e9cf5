//! `oms user create`: makes a user who can log in.

use std::io;

use anyhow::{Context, ensure};
use auth_service::{Role, Secret};
use serde_json::json;

use crate::cli::{RoleName, User, UserCreate};
use crate::{random, system};

const GENERATED_LENGTH: usize = 24;

/// Runs one of the words after `oms user`.
pub async fn run(command: User) -> anyhow::Result<()> {
    match command {
        User::Create(options) => create(options).await,
    }
}

async fn create(options: UserCreate) -> anyhow::Result<()> {
    let role = match options.role {
        RoleName::Customer => Role::Customer,
        RoleName::Staff => Role::Staff,
        RoleName::Admin => Role::Admin,
    };
    let given = if options.password_stdin { Some(read_password()?) } else { None };
    let password = given.clone().unwrap_or_else(|| random::text(GENERATED_LENGTH));
    let directory = system::directory(&options.system).await?;
    let id = directory.create_user(&options.email, &Secret::new(password.as_str()), role).await?;
    let shown = if given.is_some() { None } else { Some(password) };
    if options.json {
        println!("{}", json!({ "userId": id.to_string(), "email": options.email, "password": shown }));
    } else {
        println!("user id   {id}");
        if let Some(password) = shown {
            println!("password  {password}");
        }
    }
    Ok(())
}

fn read_password() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).context("cannot read the password from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    ensure!(!password.is_empty(), "there is no password on standard input");
    Ok(password)
}
