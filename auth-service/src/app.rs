//! What every handler works with.

use crate::Surroundings;
use crate::access_token::AccessTokens;
use crate::browser::BrowserCookie;
use crate::config::Config;
use crate::directory::Directory;
use crate::failure::OpenError;
use crate::keys::Keys;
use crate::limits::Limits;
use crate::password::PasswordHasher;
use crate::revocations::Announcer;
use pg::Pool;
use std::sync::Arc;

/// The parts of the service, shared by its handlers.
pub(crate) struct App {
    pub(crate) pool: Pool,
    pub(crate) tokens: AccessTokens,
    pub(crate) keys: Arc<Keys>,
    pub(crate) hasher: PasswordHasher,
    pub(crate) limits: Limits,
    pub(crate) announcer: Announcer,
    pub(crate) cookie: BrowserCookie,
    /// The path of the issuer's URL, without a slash at its end: what our own links begin with.
    pub(crate) base: String,
    /// Whether mail is sent: without it no code is made.
    pub(crate) sends_mail: bool,
}

/// How handlers hold it.
pub(crate) type SharedApp = Arc<App>;

impl App {
    /// Puts the parts together over a migrated schema.
    pub(crate) async fn open(pool: Pool, config: Config, surroundings: Surroundings) -> Result<SharedApp, OpenError> {
        let keys = Arc::new(Keys::open(pool.clone(), config.key_encryption_key).await?);
        let (cookie, base) = (BrowserCookie::new(&surroundings.issuer), base(&surroundings.issuer));
        Ok(Arc::new(Self {
            pool,
            tokens: AccessTokens::new(Arc::clone(&keys), surroundings.issuer),
            keys,
            hasher: PasswordHasher::new()?,
            limits: Limits::new(config.rate_limit),
            announcer: Announcer::new(surroundings.in_force, surroundings.draining),
            cookie,
            base,
            sends_mail: config.mail.is_some(),
        }))
    }

    /// The host of the issuer: what an authenticator calls the shop.
    pub(crate) fn host(&self) -> &str {
        let (_, rest) = self.tokens.issuer().split_once("://").unwrap_or_default();
        rest.split('/').next().unwrap_or_default()
    }

    pub(crate) fn directory(&self) -> Directory {
        Directory::new(self.pool.clone(), self.hasher.clone())
    }
}

fn base(issuer: &str) -> String {
    let uri: Option<http::Uri> = issuer.parse().ok();
    uri.map(|uri| uri.path().trim_end_matches('/').to_owned()).unwrap_or_default()
}
