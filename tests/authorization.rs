//! Every route of every service, taken from the route tables themselves: closed without a token, closed without its
//! scope, and closed to the wrong kind of caller. A new route is covered the moment it exists.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use oms::compose;
use service::{Process, ServerConfig, Settings, assemble};
use test_support::{TestDatabase, TestTokens, database};
use tower::ServiceExt;
use web::auth::{JwksSource, TokenVerifier, VerifierConfig};
use web::{Access, RouteSpec};

const CUSTOMER: &str = "usr_01h455vb4pex5vsknk084sn02q";

struct System {
    router: Router,
    specs: Vec<RouteSpec>,
    tokens: TestTokens,
    process: Process,
    _database: TestDatabase,
}

impl System {
    async fn build() -> Self {
        let database = database().await;
        let settings = Settings::of([("DATABASE_URL", database.url()), ("OMS_RATE_LIMIT", "off")]);
        let process =
            Process::new(settings.clone(), (*database).clone(), &compose::all()).expect("the settings are right");
        let services = compose::build(&process, &compose::all()).await.expect("the services can be built");
        let tables: Vec<_> = services.into_iter().map(|service| service.routes).collect();
        let specs = tables.iter().flat_map(|table| table.specs().to_vec()).collect();
        let tokens = TestTokens::new();
        let keys = serde_json::from_value(tokens.jwks().clone()).expect("the test keys are a key set");
        let verifier = TokenVerifier::new(
            VerifierConfig {
                issuer: tokens.issuer().to_owned(),
                audience: tokens.audience().to_owned(),
                service_token: None,
            },
            JwksSource::Static(keys),
        );
        let config = ServerConfig::from_settings(&settings, process.listen(), tokens.issuer())
            .expect("the server's settings are right");
        let router = assemble(tables, Vec::new(), verifier, &process.deps().lifecycle, &config);
        Self { router, specs, tokens, process, _database: database }
    }

    async fn answer(&self, spec: &RouteSpec, token: Option<&str>) -> StatusCode {
        let mut request = Request::builder().method(spec.method.clone()).uri(concrete(&spec.path));
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if spec.method != Method::GET {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Body::empty()).expect("a route's path makes a request");
        self.router.clone().oneshot(request).await.expect("a router always answers").status()
    }

    /// A token of a customer who has that scope, and one of a client that has everything but it.
    fn tokens_for(&self, access: Access) -> (String, String) {
        let scope = access.scope().map_or("", web::Scope::as_str);
        let others: Vec<&str> =
            web::Scopes::all().iter().map(web::Scope::as_str).filter(|other| *other != scope).collect();
        let customer = self.tokens.token(CUSTOMER, "customer", &[scope]).sign();
        (customer, self.tokens.client("cli_01h455vb4pex5vsknk084sn02q", &others))
    }
}

#[tokio::test]
async fn every_route_is_closed_to_those_it_is_not_for() {
    let system = System::build().await;
    let mut wrong = Vec::new();
    let mut closed = 0;
    for spec in &system.specs {
        let (customer, client_without) = system.tokens_for(spec.access);
        let mut expect = |answer: StatusCode, wanted: StatusCode, who: &str| {
            if answer != wanted {
                wrong.push(format!("{} {} answers {answer} {who}, not {wanted}", spec.method, spec.path));
            }
        };
        if matches!(spec.access, Access::Public | Access::ClientAuth) {
            continue;
        }
        closed += 1;
        expect(system.answer(spec, None).await, StatusCode::UNAUTHORIZED, "without a token");
        let forged = TestTokens::new().client("cli_01h455vb4pex5vsknk084sn02q", &["orders:read"]);
        expect(system.answer(spec, Some(&forged)).await, StatusCode::UNAUTHORIZED, "to a forged token");
        if spec.access.scope().is_some() {
            expect(system.answer(spec, Some(&client_without)).await, StatusCode::FORBIDDEN, "without its scope");
        }
        if matches!(spec.access, Access::Staff(_) | Access::Internal(_) | Access::StaffOrInternal(_)) {
            expect(system.answer(spec, Some(&customer)).await, StatusCode::FORBIDDEN, "to a customer");
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(closed > 50, "only {closed} routes are closed: are the route tables complete?");
    system.process.deps().lifecycle.shut_down(std::time::Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_public_route_refuses_a_token_that_is_no_good() {
    let system = System::build().await;
    let mut wrong = Vec::new();
    for spec in system.specs.iter().filter(|spec| spec.access == Access::Public) {
        let answer = system.answer(spec, Some("not.a.token")).await;
        if answer != StatusCode::UNAUTHORIZED {
            wrong.push(format!("{} {} answers {answer}", spec.method, spec.path));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    system.process.deps().lifecycle.shut_down(std::time::Duration::from_secs(5)).await;
}

/// The path with something in place of its parameters.
fn concrete(path: &str) -> String {
    let filled = path.split('/').map(|part| if part.contains('{') { "x" } else { part });
    filled.collect::<Vec<_>>().join("/")
}
