//! What a development system does once its listener serves: waits until it is ready, brings in the demo catalogue,
//! and tells where it is.

use std::path::PathBuf;
use std::time::Duration;

use crate::credentials::Credentials;
use crate::{demo_catalogue, ready_file};

const PAUSE_BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// A system that is about to be used.
pub struct Opening {
    /// Where it listens.
    pub url: String,
    /// The libpq URI to tell.
    pub database_url: String,
    /// Where its files are.
    pub data_dir: PathBuf,
    /// Where to tell it all, if anywhere.
    pub ready_file: Option<PathBuf>,
    /// How to get in.
    pub credentials: Credentials,
}

impl Opening {
    /// Opens the system and tells about it.
    pub async fn open(self) -> anyhow::Result<()> {
        self.until_ready().await?;
        if let Some(service) = self.credentials.clients.first() {
            demo_catalogue::load_once(&self.url, service, &self.data_dir).await?;
        }
        let files = [Some(ready_file::kept_in(&self.data_dir)), self.ready_file.clone()];
        for path in files.iter().flatten() {
            ready_file::write(path, &self.url, &self.database_url, &self.credentials)?;
        }
        self.print();
        Ok(())
    }

    async fn until_ready(&self) -> anyhow::Result<()> {
        let http = service::peers::http_client()?;
        let address = format!("{}/readyz", self.url);
        while !http.get(&address).send().await.is_ok_and(|answer| answer.status().is_success()) {
            tokio::time::sleep(PAUSE_BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    fn print(&self) {
        let url = &self.url;
        println!("oms is ready\n");
        for (what, path) in [("API", "/docs"), ("GraphQL", "/graphiql"), ("health", "/readyz")] {
            println!("  {what:<10} {url}{path}");
        }
        println!("  {:<10} {}\n", "database", self.database_url);
        for client in &self.credentials.clients {
            let secret = client.client_secret.as_deref().map(|secret| format!("  secret {secret}")).unwrap_or_default();
            println!("  client     {:<11} {}{secret}", client.name, client.client_id);
        }
        for user in &self.credentials.users {
            println!("  user       {:<11} {}  password {}", user.role, user.email, user.password);
        }
        println!("\nCtrl-C stops it; the data stays in {}.", self.data_dir.display());
    }
}
