//! What is taken for the URL of a webhook.

use super::AllowedAddresses;
use reqwest::Url;

const LONGEST: usize = 2_000;

/// Reads a URL and says what is wrong with it. A name is resolved when it is called, not here.
///
/// # Errors
/// What is wrong, for people.
pub fn parse(text: &str, allowed: AllowedAddresses) -> Result<String, String> {
    if text.len() > LONGEST {
        return Err(format!("at most {LONGEST} characters"));
    }
    let url = Url::parse(text).map_err(|error| format!("this is no URL: {error}"))?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or("the URL has no host")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL must not have a user or password: what is sent is signed".to_owned());
    }
    if url.fragment().is_some() {
        return Err("the URL must not have a fragment".to_owned());
    }
    match url.scheme() {
        "https" => {}
        "http" if allowed.allows_plain_http() => {}
        _ => return Err("the URL must begin with https://".to_owned()),
    }
    if !allowed.allows_host(host) {
        return Err("the URL's address is private, of this machine, or of its network".to_owned());
    }
    Ok(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_https_to_a_public_host_without_credentials() {
        let public = AllowedAddresses::Public;
        assert_eq!(parse("https://shop.example.org/hook?x=1", public).unwrap(), "https://shop.example.org/hook?x=1");
        for wrong in [
            "",
            "shop.example.org",
            "/hook",
            "http://shop.example.org/",
            "ftp://shop.example.org/",
            "https://a:b@shop.example.org/",
            "https://shop.example.org/#x",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://10.0.0.1/",
            "https://",
        ] {
            assert!(parse(wrong, public).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_development_machine_may_call_itself_but_not_its_network() {
        let near = AllowedAddresses::PublicAndLoopback;
        assert!(parse("http://127.0.0.1:4711/hook", near).is_ok() && parse("http://localhost:4711/", near).is_ok());
        assert!(parse("http://169.254.169.254/", near).is_err() && parse("http://192.168.0.1/", near).is_err());
        assert!(parse("http://192.168.0.1/", AllowedAddresses::All).is_ok());
    }
}
