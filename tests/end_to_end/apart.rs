//! auth-service and another service in processes of their own: what is taken back at the one is refused at the other.

use crate::system::{Answer, eventually, http, unique};
use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const SERVICE_TOKEN: &str = "a-service-token-of-these-tests";

/// One `oms serve --service …`.
struct Apart {
    url: String,
    child: Child,
}

impl Apart {
    fn start(service: &str, database_url: &str, address: &str, auth_url: &str) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_oms"))
            .args(["serve", "--service", service])
            .env("DATABASE_URL", database_url)
            .env("OMS_LISTEN", address)
            .env("OMS_PUBLIC_URL", auth_url)
            .env("OMS_AUTH_URL", auth_url)
            .env("INTERNAL_SERVICE_TOKEN", SERVICE_TOKEN)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let apart = Self { url: format!("http://{address}"), child };
        eventually("the service is ready", || {
            apart.request(Method::GET, "/readyz").send().is_ok_and(|answer| answer.status() == 200).then_some(())
        });
        apart
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        http().request(method, format!("{}{path}", self.url))
    }

    fn takes(&self, token: &str) -> bool {
        let answer = self.request(Method::GET, "/api/inventory?below=1").bearer_auth(token).send().unwrap();
        let answer = Answer::of(answer);
        match answer.status {
            200 => true,
            _ => {
                answer.expect_problem(401, "INVALID_TOKEN");
                false
            }
        }
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// What `oms` says to these words about that database.
fn oms(database_url: &str, words: &[&str]) -> Value {
    let output =
        Command::new(env!("CARGO_BIN_EXE_oms")).args(words).env("DATABASE_URL", database_url).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[test]
fn what_is_taken_back_at_the_auth_service_is_refused_by_a_service_in_another_process() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(test_support::database());
    let url = database.url();
    let (auth_address, inventory_address) = (free_address(), free_address());
    let auth_url = format!("http://{auth_address}");
    let auth = Apart::start("auth", url, &auth_address, &auth_url);
    let inventory = Apart::start("inventory", url, &inventory_address, &auth_url);

    let user = |role: &str| {
        let email = format!("{}@example.org", unique(role));
        let made = oms(url, &["user", "create", &email, "--role", role, "--json"]);
        let body = json!({"email": email, "password": made["password"]});
        let login = Answer::of(auth.request(Method::POST, "/auth/login").json(&body).send().unwrap()).expect(200);
        (format!("/api/users/{}", made["userId"].as_str().unwrap()), login.text("/token"))
    };
    let (_, admin) = user("admin");
    let as_admin = |method: Method, path: &str| auth.request(method, path).bearer_auth(&admin);
    let made = oms(url, &["client", "create", "stock", "--scope", "inventory:read", "--json"]);
    let client = (made["clientId"].as_str().unwrap(), made["clientSecret"].as_str());
    let form = [("grant_type", "client_credentials")];
    let issued = auth.request(Method::POST, "/oauth/token").basic_auth(client.0, client.1).form(&form).send().unwrap();
    let program = Answer::of(issued).expect(200).text("/access_token");

    let (_, leaver) = user("staff");
    let (disabled_path, disabled) = user("staff");
    let (demoted_path, demoted) = user("staff");
    let (_, bystander) = user("staff");
    for token in [&program, &leaver, &disabled, &demoted, &bystander] {
        assert!(inventory.takes(token));
    }
    let revoke = [("token", program.as_str())];
    let requests = [
        (&leaver, auth.request(Method::POST, "/auth/logout").bearer_auth(&leaver), 200),
        (&disabled, as_admin(Method::DELETE, &disabled_path), 204),
        (&demoted, as_admin(Method::PUT, &demoted_path).json(&json!({"role": "customer"})), 200),
        (&program, auth.request(Method::POST, "/oauth/revoke").basic_auth(client.0, client.1).form(&revoke), 200),
    ];
    for (token, request, status) in requests {
        Answer::of(request.send().unwrap()).expect(status);
        let since = Instant::now();
        eventually("the token is refused in the other process", || (!inventory.takes(token)).then_some(()));
        eprintln!("refused in the other process after {} ms", since.elapsed().as_millis());
    }
    assert!(inventory.takes(&bystander) && inventory.takes(&admin), "nobody else was logged out");
}
