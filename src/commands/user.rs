//! `oms user …`: makes a user who can log in, gives one another role, takes a lost authenticator away.

use std::io;

use anyhow::{Context, ensure};
use auth_service::{RoleChoice, Secret};
use serde_json::json;

use crate::cli::{User, UserCreate, UserRole};
use crate::commands::FoundWrong;
use crate::{random, system};

const GENERATED_LENGTH: usize = 24;

/// Runs one of the words after `oms user`.
pub async fn run(command: User) -> anyhow::Result<()> {
    match command {
        User::Create(options) => create(options).await,
        User::Role(options) => assign(options).await,
        User::CodesOff(options) => {
            let was_there = system::directory(&options.system).await?.turn_codes_off(&options.email).await?;
            if was_there { Ok(()) } else { Err(FoundWrong.into()) }
        }
    }
}

async fn create(options: UserCreate) -> anyhow::Result<()> {
    let role = RoleChoice::named(&options.role);
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

async fn assign(options: UserRole) -> anyhow::Result<()> {
    let directory = system::directory(&options.system).await?;
    let id = directory.assign_role(&options.email, &RoleChoice::named(&options.role)).await?;
    println!("{id}");
    Ok(())
}

fn read_password() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).context("cannot read the password from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    ensure!(!password.is_empty(), "there is no password on standard input");
    Ok(password)
}
