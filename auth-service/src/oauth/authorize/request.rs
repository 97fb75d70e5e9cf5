//! Reads an authorization request. Until the client and its redirect URI are known to be genuine nothing is sent
//! anywhere: what is wrong is said on a page. From then on errors go to the client.

use super::Refusal;
use crate::App;
use crate::clients::{self, Client, Grant};
use crate::failure::Failure;
use shared_events::ClientId;
use web::{Scope, Scopes};

/// Longer queries are refused: the request travels through our own forms and back.
const LONGEST_QUERY: usize = 8 * 1024;
/// The characters of an S256 challenge.
const CHALLENGE_CHARACTERS: usize = 43;

/// What the client wants of the page (OpenID Connect Core §3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// No page at all.
    None,
    /// The login page, whoever is logged in.
    Login,
    /// The consent page, whatever was allowed before.
    Consent,
    /// The login page too: a browser has one account at a time.
    SelectAccount,
}

/// An authorization request of a genuine client that may make it.
pub(crate) struct AuthorizationRequest {
    pub(crate) client: Client,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) scopes: Scopes,
    pub(crate) nonce: Option<String>,
    pub(crate) code_challenge: String,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) max_age_seconds: Option<i64>,
    pub(crate) login_hint: Option<String>,
    pub(crate) id_token_hint: Option<String>,
    parameters: Vec<(String, String)>,
}

impl AuthorizationRequest {
    /// Whether the client wants that.
    pub(crate) fn prompts_for(&self, prompt: Prompt) -> bool {
        self.prompts.contains(&prompt)
    }

    /// The query to come back with once these prompts have been followed.
    pub(crate) fn query_without(&self, followed: &[Prompt]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.parameters {
            if name == "prompt" {
                let left: Vec<&str> = value
                    .split(' ')
                    .filter(|word| parse_prompt(word).is_some_and(|prompt| !followed.contains(&prompt)))
                    .collect();
                query.append_pair(name, &left.join(" "));
            } else {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

/// The request behind a query.
pub(crate) async fn read(app: &App, query: &str) -> Result<Result<AuthorizationRequest, Refusal>, Failure> {
    if query.len() > LONGEST_QUERY {
        return Ok(Err(Refusal::Page("the request is too long")));
    }
    let parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let parameters = Parameters(parameters);
    let Some(client_id) = parameters.only("client_id") else {
        return Ok(Err(Refusal::Page("client_id is missing, or there twice")));
    };
    // Only the form that was handed out is accepted: a client id is text to RFC 6749.
    let id = ClientId::parse(client_id).ok().filter(|id| id.to_string() == client_id);
    let client = match id {
        Some(id) => clients::find(&app.pool.get().await?, id).await?.filter(|client| client.disabled_at.is_none()),
        None => None,
    };
    let Some(client) = client else { return Ok(Err(Refusal::Page("the client is not known"))) };
    let Some(redirect_uri) = parameters.only("redirect_uri") else {
        return Ok(Err(Refusal::Page("redirect_uri is missing, or there twice")));
    };
    if !client.redirect_uris.iter().any(|registered| registered == redirect_uri) {
        return Ok(Err(Refusal::Page("the redirect_uri is not one of the client's")));
    }
    let redirect_uri = redirect_uri.to_owned();
    let state = parameters.only("state").map(ToOwned::to_owned);
    Ok(check(client, redirect_uri.clone(), state.clone(), parameters)
        .map_err(|(error, description)| Refusal::Redirect { redirect_uri, state, error, description }))
}

fn check(
    client: Client,
    redirect_uri: String,
    state: Option<String>,
    parameters: Parameters,
) -> Result<AuthorizationRequest, (&'static str, &'static str)> {
    let invalid = |description| ("invalid_request", description);
    if parameters.any_twice() {
        return Err(invalid("a parameter is there twice"));
    }
    if parameters.0.iter().any(|(_, value)| value.contains('\0')) {
        return Err(invalid("a parameter holds U+0000"));
    }
    for (name, error) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if parameters.get(name).is_some() {
            return Err((error, "send the parameters themselves"));
        }
    }
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "use response_type=code")),
        None => return Err(invalid("response_type is missing")),
    }
    if !client.may_use(Grant::AuthorizationCode) {
        return Err(("unauthorized_client", "the client may not use authorization_code"));
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(invalid("use response_mode=query"));
    }
    let code_challenge = parameters.get("code_challenge").ok_or(invalid("code_challenge is missing: use PKCE"))?;
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(invalid("use code_challenge_method=S256"));
    }
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if code_challenge.len() != CHALLENGE_CHARACTERS || !code_challenge.bytes().all(base64url) {
        return Err(invalid("code_challenge is no SHA-256 in base64url"));
    }
    let scopes = match parameters.get("scope") {
        Some(text) => text
            .split(' ')
            .filter(|name| !name.is_empty())
            .map(Scope::parse)
            .collect::<Option<Scopes>>()
            .filter(|scopes| client.scopes.contains_all(*scopes)),
        None => Some(client.scopes),
    };
    let scopes = scopes
        .filter(|scopes| !scopes.is_empty())
        .ok_or(("invalid_scope", "a scope is not known, or not among the client's"))?;
    let prompts: Option<Vec<Prompt>> =
        parameters.get("prompt").unwrap_or("").split(' ').filter(|word| !word.is_empty()).map(parse_prompt).collect();
    let prompts = prompts.ok_or(invalid("prompt holds a word that is not known"))?;
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        return Err(invalid("prompt=none stands alone"));
    }
    let max_age_seconds = match parameters.get("max_age") {
        Some(text) => Some(text.parse::<u32>().map_err(|_| invalid("max_age is no number of seconds"))?.into()),
        None => None,
    };
    let owned = |name: &str| parameters.get(name).map(ToOwned::to_owned);
    Ok(AuthorizationRequest {
        redirect_uri,
        state,
        scopes,
        nonce: owned("nonce"),
        code_challenge: code_challenge.to_owned(),
        prompts,
        max_age_seconds,
        login_hint: owned("login_hint"),
        id_token_hint: owned("id_token_hint"),
        client,
        parameters: parameters.0,
    })
}

fn parse_prompt(word: &str) -> Option<Prompt> {
    match word {
        "none" => Some(Prompt::None),
        "login" => Some(Prompt::Login),
        "consent" => Some(Prompt::Consent),
        "select_account" => Some(Prompt::SelectAccount),
        _ => None,
    }
}

/// The parameters of the query; an empty one is an absent one.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, value)| found == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A parameter that must not be there twice, as errors can't be sent without it.
    fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(found, _)| found == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) if !value.is_empty() => Some(value),
            _ => None,
        }
    }

    fn any_twice(&self) -> bool {
        self.0.iter().enumerate().any(|(index, (name, _))| self.0[..index].iter().any(|(earlier, _)| earlier == name))
    }
}
