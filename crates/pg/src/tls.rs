//! TLS to the server: used, and the certificate checked against the system's authorities, where the URL says
//! `sslmode=require`; plain everywhere else. There is no silent middle way.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::PgError;

pub(crate) type Tls = MakeRustlsConnect;
pub(crate) type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// Settles the mode of a configuration to one of the two ways and makes what it needs.
pub(crate) fn for_mode(config: &mut Config) -> Result<Tls, PgError> {
    let mut authorities = RootCertStore::empty();
    if config.get_ssl_mode() == SslMode::Require {
        let loaded = rustls_native_certs::load_native_certs();
        let (added, _) = authorities.add_parsable_certificates(loaded.certs);
        if added == 0 {
            return Err(PgError::Tls("this system has no certificate authorities; install ca-certificates".to_owned()));
        }
    } else {
        config.ssl_mode(SslMode::Disable);
    }
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| PgError::Tls(error.to_string()))?
        .with_root_certificates(authorities)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(client))
}
