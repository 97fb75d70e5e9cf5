//! Puts services together: one table says how each is built, and nothing else here knows one from another.

use anyhow::{Context, bail};
use futures_util::future::{BoxFuture, try_join_all};
use service::{Deps, Process, Service, StartError};

type Build = fn(Deps) -> BoxFuture<'static, Result<Service, StartError>>;

/// Every service by its short name, with how it is built.
const SERVICES: [(&str, Build); 5] = [
    ("auth", |deps| {
        Box::pin(async move {
            let config = auth_service::Config::from_settings(&deps.settings)?;
            auth_service::build(config, deps).await
        })
    }),
    ("inventory", |deps| {
        Box::pin(async move {
            let config = inventory_service::Config::from_settings(&deps.settings)?;
            inventory_service::build(config, deps).await
        })
    }),
    ("command", |deps| {
        Box::pin(async move {
            let config = command_service::Config::from_settings(&deps.settings)?;
            command_service::build(config, deps).await
        })
    }),
    ("invoice", |deps| {
        Box::pin(async move {
            let config = invoice_service::Config::from_settings(&deps.settings)?;
            invoice_service::build(config, deps).await
        })
    }),
    ("query", |deps| {
        Box::pin(async move {
            let config = query_service::Config::from_settings(&deps.settings)?;
            query_service::build(config, deps).await
        })
    }),
];

/// The short names of all services.
pub fn all() -> Vec<&'static str> {
    SERVICES.iter().map(|(name, _)| *name).collect()
}

/// The services that were asked for, each once; all of them if none was.
pub fn named(wanted: &[String]) -> anyhow::Result<Vec<&'static str>> {
    if wanted.is_empty() {
        return Ok(all());
    }
    for name in wanted {
        if !SERVICES.iter().any(|(known, _)| known == name) {
            bail!("there is no service `{name}`; there are {}", all().join(", "));
        }
    }
    Ok(all().into_iter().filter(|known| wanted.iter().any(|name| name == known)).collect())
}

/// Builds the services of a process, all at once: each migrates schemas of its own.
pub async fn build(process: &Process, names: &[&str]) -> anyhow::Result<Vec<Service>> {
    let builds = SERVICES.iter().filter(|(name, _)| names.contains(name)).map(|(name, build)| {
        let deps = process.deps().clone();
        async move { build(deps).await.with_context(|| format!("{name}-service cannot start")) }
    });
    try_join_all(builds).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_run_once_each_and_in_one_order() {
        let wanted = ["query", "auth", "query"].map(str::to_owned);
        assert_eq!(named(&wanted).unwrap(), ["auth", "query"]);
        assert_eq!(named(&[]).unwrap().len(), 5);
        assert!(named(&["gateways".to_owned()]).unwrap_err().to_string().contains("inventory"));
    }
}
