//! The login of a browser at our own pages: one cookie, whose hash is kept with who logged in and when. The cookie is
//! new at every login. Forms carry a token derived from it, so that no other site can send them.

use crate::audit;
use crate::secret::Secret;
use crate::sessions::Origin;
use crate::store::{self, StoreError};
use crate::users::User;
use chrono::{DateTime, Utc};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, Uri};
use pg::deadpool_postgres::{GenericClient, Transaction};
use shared_events::SessionId;
use uuid::Uuid;

/// How long a browser stays logged in.
const LOGIN_SECONDS: i32 = 12 * 60 * 60;
const NAME: &str = "oms_browser";
/// Browsers take a cookie of this prefix only from a secure origin and for the whole host.
const SECURE_NAME: &str = "__Host-oms_browser";
/// The bytes of a cookie of ours; another one is nobody's.
const COOKIE_BYTES: usize = 43;

/// How the cookie is set here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BrowserCookie {
    secure: bool,
}

impl BrowserCookie {
    /// `Secure`, unless the issuer is plain http on this machine.
    pub(crate) fn new(issuer: &str) -> Self {
        let uri: Option<Uri> = issuer.parse().ok();
        let loopback = uri.is_some_and(|uri| {
            uri.scheme_str() == Some("http") && matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"))
        });
        Self { secure: !loopback }
    }

    /// The cookie that a request carries.
    pub(crate) fn read(self, headers: &HeaderMap) -> Option<Secret> {
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == self.name())?;
        let ours = value.len() == COOKIE_BYTES && value.bytes().all(|byte| byte.is_ascii_graphic());
        ours.then(|| Secret::new(value))
    }

    /// The header that sets it.
    pub(crate) fn set(self, cookie: &Secret) -> HeaderValue {
        self.header(cookie.expose(), LOGIN_SECONDS)
    }

    /// The header that removes it.
    pub(crate) fn remove(self) -> HeaderValue {
        self.header("", 0)
    }

    const fn name(self) -> &'static str {
        if self.secure { SECURE_NAME } else { NAME }
    }

    fn header(self, value: &str, seconds: i32) -> HeaderValue {
        let (name, secure) = (self.name(), if self.secure { "; Secure" } else { "" });
        let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        let mut header = HeaderValue::from_str(&text).expect("base64 and our own words are visible ASCII");
        header.set_sensitive(true);
        header
    }
}

/// A browser that has logged in.
#[derive(Debug)]
pub(crate) struct BrowserLogin {
    pub(crate) user: User,
    pub(crate) id: Uuid,
    pub(crate) authenticated_at: DateTime<Utc>,
    /// How long ago that was.
    pub(crate) age_seconds: i64,
}

/// The login behind a cookie, if it is still good and its user enabled.
pub(crate) async fn find(client: &impl GenericClient, cookie: &Secret) -> Result<Option<BrowserLogin>, StoreError> {
    let select = include_str!("sql/select_browser_login.sql");
    let Some(row) = store::query_opt(client, select, &[&cookie.hash().as_slice()]).await? else { return Ok(None) };
    Ok(Some(BrowserLogin {
        user: User::from_row(&row)?,
        id: row.try_get("login_id")?,
        authenticated_at: row.try_get("authenticated_at")?,
        age_seconds: row.try_get("age_seconds")?,
    }))
}

/// Logs a browser in; answers its new cookie. Whoever it was before is forgotten.
pub(crate) async fn begin(
    transaction: &Transaction<'_>,
    user: &User,
    before: Option<&Secret>,
    origin: &Origin,
) -> Result<Secret, StoreError> {
    if let Some(before) = before {
        end(transaction, before).await?;
    }
    let cookie = Secret::new_cookie();
    let insert = "INSERT INTO browser_logins (id, hash, user_id, expires_at)
                  VALUES (gen_random_uuid(), $1, $2, now() + make_interval(secs => $3::int))";
    store::execute(transaction, insert, &[&cookie.hash().as_slice(), &user.id.as_uuid(), &LOGIN_SECONDS]).await?;
    let id = user.id.to_string();
    let entry = audit::Entry::by(&id, "BROWSER_LOGGED_IN").on(&id).at_address(origin.address.as_deref());
    audit::record(transaction, &entry).await?;
    Ok(cookie)
}

/// Forgets the login behind a cookie; the sessions that came from it go on.
pub(crate) async fn end(client: &impl GenericClient, cookie: &Secret) -> Result<(), StoreError> {
    let delete = "DELETE FROM browser_logins WHERE hash = $1";
    store::execute(client, delete, &[&cookie.hash().as_slice()]).await.map(|_| ())
}

/// Forgets the login that a session came from: who ends a session wants to be asked again.
pub(crate) async fn end_behind(client: &impl GenericClient, session: SessionId) -> Result<(), StoreError> {
    let delete = "DELETE FROM browser_logins USING sessions
                  WHERE browser_logins.id = sessions.browser_login_id AND sessions.id = $1";
    store::execute(client, delete, &[&session.as_uuid()]).await.map(|_| ())
}

/// The token that a form of this browser carries.
pub(crate) fn csrf_token(cookie: &Secret) -> String {
    cookie.derived("form").expose().to_owned()
}

/// Whether a form is of this browser.
pub(crate) fn is_own_form(cookie: Option<&Secret>, token: &str) -> bool {
    cookie.is_some_and(|cookie| Secret::new(token).matches(&cookie.derived("form").hash()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_for_secure_origins_and_loopback_alone() {
        let cookie = Secret::new_cookie();
        let header = |issuer: &str| BrowserCookie::new(issuer).set(&cookie).to_str().unwrap().to_owned();
        let secure = header("https://shop.example");
        assert!(secure.starts_with("__Host-oms_browser=") && secure.contains("; Path=/;"), "{secure}");
        assert!(secure.ends_with("; HttpOnly; SameSite=Lax; Secure"), "{secure}");
        assert!(header("http://shop.example").ends_with("; Secure"), "a plain origin gets a cookie it can't use");
        let plain = header("http://127.0.0.1:8080");
        assert!(plain.starts_with("oms_browser=") && plain.ends_with("; HttpOnly; SameSite=Lax"), "{plain}");
    }

    #[test]
    fn a_cookie_is_found_among_others_and_a_malformed_one_is_none() {
        let read = |text: &str| {
            let headers = [(COOKIE, HeaderValue::from_str(text).unwrap())].into_iter().collect();
            BrowserCookie::new("http://localhost").read(&headers).map(|cookie| cookie.expose().to_owned())
        };
        let cookie = Secret::new_cookie();
        let value = cookie.expose();
        assert_eq!(read(&format!("a=b; oms_browser={value}; c=d")).as_deref(), Some(value));
        assert_eq!(read(&format!("x_oms_browser={value}")), None);
        assert_eq!(read("oms_browser=short"), None);
    }

    #[test]
    fn a_form_belongs_to_one_browser() {
        let (mine, other) = (Secret::new_cookie(), Secret::new_cookie());
        assert!(is_own_form(Some(&mine), &csrf_token(&mine)));
        assert!(!is_own_form(Some(&mine), &csrf_token(&other)));
        assert!(!is_own_form(Some(&mine), ""));
        assert!(!is_own_form(None, &csrf_token(&mine)));
    }
}
