//! One request at a time, and what came of it.

use reqwest::{
    Method,
    blocking::{Client, RequestBuilder},
};
use serde_json::Value;
use std::{
    sync::{OnceLock, RwLock},
    time::Duration,
};

/// What a client saw of a request.
#[derive(Debug, Clone)]
pub enum Seen {
    /// An answer, whole.
    Answer { status: u16, body: Value },
    /// No answer, or one that was cut off: nobody knows.
    Nothing,
}

/// A client of the system, with its token.
pub struct Access {
    client_id: String,
    secret: String,
    token: RwLock<String>,
}

impl Access {
    /// From a client as ready files and `oms client create --json` show it.
    pub fn open(base: &str, client: &Value) -> Self {
        let text = |name: &str| client[name].as_str().unwrap_or_else(|| panic!("no {name} in {client}")).to_owned();
        let access = Self { client_id: text("clientId"), secret: text("clientSecret"), token: RwLock::default() };
        assert!(access.renew(base), "no token can be had");
        access
    }

    /// Gets a new token, if the system is there.
    pub fn renew(&self, base: &str) -> bool {
        let asked = client().post(format!("{base}/oauth/token")).basic_auth(&self.client_id, Some(&self.secret));
        let Seen::Answer { status: 200, body } = send(asked.form(&[("grant_type", "client_credentials")])) else {
            return false;
        };
        body["access_token"].as_str().unwrap().clone_into(&mut self.token.write().unwrap());
        true
    }

    /// A request to a process that may die in the middle of it.
    pub fn request(&self, method: Method, base: &str, path: &str) -> RequestBuilder {
        client().request(method, format!("{base}{path}")).bearer_auth(self.token.read().unwrap())
    }
}

/// A GET that anybody may send.
pub fn request(base: &str, path: &str) -> RequestBuilder {
    client().get(format!("{base}{path}"))
}

/// Sends it and reads the answer.
pub fn send(request: RequestBuilder) -> Seen {
    let Ok(response) = request.send() else { return Seen::Nothing };
    let status = response.status().as_u16();
    let Ok(text) = response.text() else { return Seen::Nothing };
    Seen::Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

/// Sends a request that must succeed.
#[track_caller]
pub fn expect(request: RequestBuilder, wanted: u16) -> Value {
    match send(request) {
        Seen::Answer { status, body } if status == wanted => body,
        other => panic!("{wanted} was wanted: {other:?}"),
    }
}

fn client() -> &'static Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder().timeout(Duration::from_secs(30)).pool_max_idle_per_host(64).build().unwrap()
    })
}
