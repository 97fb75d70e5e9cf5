//! Every attack on access tokens that `test_support::forgeries` knows, at every service alone and at all of them in one
//! process: refused on closed routes and on public ones, for the reason that the table gives.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use oms::compose;
use serde_json::Value;
use service::{Process, ServerConfig, Settings, assemble};
use test_support::{Forgery, TestTokens, database, forgeries};
use tower::ServiceExt;
use web::auth::{JwksSource, TokenVerifier, VerifierConfig};
use web::{Access, RouteSpec};

/// What a token is shown at.
struct Door {
    router: Router,
    method: Method,
    path: String,
}

impl Door {
    async fn answer(&self, token: &str) -> (StatusCode, Value) {
        let request = Request::builder().method(self.method.clone()).uri(&self.path);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::empty());
        let answer = self.router.clone().oneshot(request.expect("a token fits a header")).await;
        let answer = answer.expect("a router always answers");
        let status = answer.status();
        let body = answer.into_body().collect().await.expect("the answer is read").to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn refuses(&self, forgery: &Forgery) -> Result<(), String> {
        let (status, problem) = self.answer(&forgery.token).await;
        if (status, &problem["code"], &problem["detail"])
            == (StatusCode::UNAUTHORIZED, &"INVALID_TOKEN".into(), &forgery.because.into())
        {
            return Ok(());
        }
        let Forgery { attack, source, because, .. } = forgery;
        Err(format!(
            "{} {}: {attack} ({source}) answers {status} {}, not: {because}",
            self.method, self.path, problem["detail"]
        ))
    }
}

/// A closed route and a public one of a process that runs these services.
async fn attack(services: &[&str]) {
    let database = database().await;
    let settings = Settings::of([("DATABASE_URL", database.url()), ("OMS_RATE_LIMIT", "off")]);
    let process = Process::new(settings.clone(), (*database).clone(), services).expect("the settings are right");
    let built = compose::build(&process, services).await.expect("the services can be built");
    let tables: Vec<_> = built.into_iter().map(|service| service.routes).collect();
    let specs: Vec<RouteSpec> = tables.iter().flat_map(|table| table.specs().to_vec()).collect();
    let tokens = TestTokens::new();
    let keys = serde_json::from_value(tokens.jwks().clone()).expect("the test keys are a key set");
    let config = VerifierConfig {
        issuer: tokens.issuer().to_owned(),
        audience: tokens.audience().to_owned(),
        service_token: None,
    };
    let verifier = TokenVerifier::new(config, JwksSource::Static(keys));
    let config = ServerConfig::from_settings(&settings, process.listen(), tokens.issuer()).expect("they are right");
    let router = assemble(tables, Vec::new(), verifier, &process.deps().lifecycle, &config);

    let genuine = tokens.genuine();
    let table = forgeries(&genuine);
    assert!(table.len() > 100, "only {} attacks: is the table complete?", table.len());
    let mut wrong = Vec::new();
    let (mut closed, mut public) = (0, 0);
    for spec in specs.iter().filter(|spec| spec.access != Access::ClientAuth) {
        let door = Door { router: router.clone(), method: spec.method.clone(), path: concrete(&spec.path) };
        let kind = if spec.access == Access::Public { &mut public } else { &mut closed };
        // A route shows that the signature is right by letting the genuine token in, whatever it answers then.
        if *kind > 0 || door.answer(&genuine.token()).await.0 == StatusCode::UNAUTHORIZED {
            continue;
        }
        *kind += 1;
        for forgery in &table {
            wrong.extend(door.refuses(forgery).await.err());
        }
    }
    assert!(wrong.is_empty(), "{services:?}\n{}\n", wrong.join("\n"));
    assert!(
        closed == 1 && (public == 1 || specs.iter().all(|spec| spec.access != Access::Public)),
        "{services:?} has no route that takes a token"
    );
    process.deps().lifecycle.shut_down(std::time::Duration::from_secs(5)).await;
}

#[tokio::test]
async fn the_command_service_refuses_every_forged_token() {
    attack(&["command"]).await;
}

#[tokio::test]
async fn the_query_service_refuses_every_forged_token() {
    attack(&["query"]).await;
}

#[tokio::test]
async fn the_inventory_service_refuses_every_forged_token() {
    attack(&["inventory"]).await;
}

#[tokio::test]
async fn the_invoice_service_refuses_every_forged_token() {
    attack(&["invoice"]).await;
}

#[tokio::test]
async fn the_auth_service_refuses_every_forged_token() {
    attack(&["auth"]).await;
}

#[tokio::test]
async fn all_of_them_in_one_process_refuse_every_forged_token() {
    attack(&compose::all()).await;
}

/// The path with something in place of its parameters.
fn concrete(path: &str) -> String {
    let filled = path.split('/').map(|part| if part.contains('{') { "x" } else { part });
    filled.collect::<Vec<_>>().join("/")
}
