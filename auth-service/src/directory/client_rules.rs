//! What a client may be registered with.

mod key_rules;

use crate::clients::{ClientSpec, Grant};
use http::Uri;
use web::{Scope, Scopes};

const MAX_NAME_CHARACTERS: usize = 100;
const MAX_REDIRECT_URIS: usize = 20;
const MAX_REDIRECT_URI_BYTES: usize = 2000;

/// The fields of a client to be, as they were sent.
#[derive(Debug)]
pub struct ClientRules<'a> {
    /// What people call it.
    pub name: &'a str,
    /// The most it may ask for.
    pub scopes: &'a [String],
    /// How it may get tokens.
    pub grants: &'a [String],
    /// Where codes may be sent.
    pub redirect_uris: &'a [String],
    /// Where a browser may be sent after logging out.
    pub post_logout_redirect_uris: &'a [String],
    /// Whether it is the shop's own.
    pub first_party: bool,
    /// Its public keys, where it proves itself by one: a JSON Web Key Set.
    pub jwks: Option<&'a serde_json::Value>,
    /// Whether it has no secret.
    pub public: bool,
}

impl ClientRules<'_> {
    /// The specification, or which field breaks a rule (as a JSON pointer) and why.
    ///
    /// # Errors
    /// The pointer to the first wrong field and what is wrong with it.
    pub fn check(&self) -> Result<ClientSpec, (String, String)> {
        let name = self.name.trim();
        let length = name.chars().count();
        if length == 0 || length > MAX_NAME_CHARACTERS || name.chars().any(char::is_control) {
            return Err(("/name".to_owned(), format!("a name has 1 to {MAX_NAME_CHARACTERS} characters")));
        }
        let scopes = indexed("/scopes", self.scopes, |text| {
            Scope::parse(text).ok_or_else(|| format!("there is no scope `{text}`"))
        })?;
        let grants = indexed("/grants", self.grants, |text| {
            let grant = Grant::parse(text).ok_or_else(|| format!("there is no grant `{text}`"))?;
            if self.public && grant == Grant::ClientCredentials {
                return Err("a public client has no credentials of its own".to_owned());
            }
            Ok(grant)
        })?;
        if self.redirect_uris.len() > MAX_REDIRECT_URIS {
            return Err(("/redirectUris".to_owned(), format!("at most {MAX_REDIRECT_URIS} redirect URIs")));
        }
        let redirect_uris = indexed("/redirectUris", self.redirect_uris, check_redirect_uri)?;
        if self.post_logout_redirect_uris.len() > MAX_REDIRECT_URIS {
            return Err(("/postLogoutRedirectUris".to_owned(), format!("at most {MAX_REDIRECT_URIS} redirect URIs")));
        }
        let post_logout_redirect_uris =
            indexed("/postLogoutRedirectUris", self.post_logout_redirect_uris, check_redirect_uri)?;
        let jwks = match self.jwks {
            Some(_) if self.public => return Err(("/jwks".to_owned(), "a public client has no keys".to_owned())),
            Some(jwks) => Some(key_rules::check(jwks).map_err(|detail| ("/jwks".to_owned(), detail))?),
            None => None,
        };
        Ok(ClientSpec {
            name: name.to_owned(),
            scopes: scopes.into_iter().collect::<Scopes>(),
            grants,
            redirect_uris,
            post_logout_redirect_uris,
            first_party: self.first_party,
            jwks,
        })
    }
}

fn indexed<T>(
    pointer: &str,
    texts: &[String],
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, (String, String)> {
    texts
        .iter()
        .enumerate()
        .map(|(index, text)| read(text).map_err(|detail| (format!("{pointer}/{index}"), detail)))
        .collect()
}

/// https, or http on the loopback interface (RFC 8252 §7.3), absolute, without a fragment. It is kept as it is written.
fn check_redirect_uri(text: &str) -> Result<String, String> {
    let refused = || "a redirect URI is https://… or http on 127.0.0.1, [::1] or localhost, without #".to_owned();
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.len() > MAX_REDIRECT_URI_BYTES || !printable || text.contains('#') || text.contains('*') {
        return Err(refused());
    }
    let uri: Uri = text.parse().map_err(|_| refused())?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(refused)?;
    let loopback = matches!(host, "127.0.0.1" | "[::1]" | "localhost");
    let allowed = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => loopback,
        Some(_) | None => false,
    };
    if allowed && uri.authority().is_some_and(|authority| !authority.as_str().contains('@')) {
        Ok(text.to_owned())
    } else {
        Err(refused())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn check(name: &str, scopes: &[&str], grants: &[&str], uris: &[&str], public: bool) -> Result<ClientSpec, String> {
        let (scopes, grants, redirect_uris) = (owned(scopes), owned(grants), owned(uris));
        let rules = ClientRules {
            name,
            scopes: &scopes,
            grants: &grants,
            redirect_uris: &redirect_uris,
            post_logout_redirect_uris: &[],
            first_party: false,
            jwks: None,
            public,
        };
        rules.check().map_err(|(pointer, _)| pointer)
    }

    #[test]
    fn a_client_is_checked_field_by_field() {
        let uris = ["https://shop.example/callback", "http://127.0.0.1:8080/cb?a=b", "http://[::1]/"];
        assert!(check(" shop ", &["orders:read"], &["refresh_token"], &uris, true).is_ok());
        assert_eq!(check(" ", &[], &[], &[], false).unwrap_err(), "/name");
        assert_eq!(check("shop", &["orders:read", "surprise"], &[], &[], false).unwrap_err(), "/scopes/1");
        assert_eq!(check("shop", &[], &["password"], &[], false).unwrap_err(), "/grants/0");
        assert_eq!(check("shop", &[], &["client_credentials"], &[], true).unwrap_err(), "/grants/0");
        for uri in [
            "http://shop.example/",
            "https://",
            "https://shop.example/#fragment",
            "https://*.example/",
            "https://user@shop.example/",
            "javascript:alert(1)",
            "https://shop.example/ü",
            "/relative",
            "",
        ] {
            assert_eq!(check("shop", &[], &[], &[uri], false).unwrap_err(), "/redirectUris/0", "{uri}");
        }
    }
}
