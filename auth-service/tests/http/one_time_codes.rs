//! Authenticators of staff: set up, asked for, used once, taken away.

use crate::browser::{Browser, authorize_path, callback, code_client, field};
use crate::harness::{Answer, Harness, PASSWORD, claims, json_request};
use auth_service::{Config, KeyEncryptionKey, Role};
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use serde_json::{Value, json};
use sha1::Sha1;

const PATH: &str = "/auth/one-time-codes";
const EMAIL: &str = "staff@example.com";

/// An authenticator as RFC 6238 describes it, written here a second time.
struct Authenticator(Vec<u8>);

impl Authenticator {
    fn set_up(base32: &str) -> Self {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let bits: String = base32.chars().map(|letter| format!("{:05b}", alphabet.find(letter).unwrap())).collect();
        let bytes = bits.as_bytes().chunks_exact(8);
        Self(bytes.map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap()).collect())
    }

    /// The code that it shows so many steps from now.
    fn code(&self, steps: i64) -> String {
        let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp();
        let mut mac = <Hmac<Sha1>>::new_from_slice(&self.0).unwrap();
        mac.update(&(now / 30 + steps).to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let at = usize::from(hash[19] % 16);
        let number = u32::from_be_bytes(hash[at..at + 4].try_into().unwrap()) % (1 << 31);
        format!("{:06}", number % 1_000_000)
    }

    /// A code that is none of those which are good now.
    fn wrong(&self) -> String {
        let good: Vec<String> = (-2..=2).map(|steps| self.code(steps)).collect();
        (0..).map(|number| format!("{number:06}")).find(|code| !good.contains(code)).unwrap()
    }
}

async fn put(service: &Harness, token: &str, body: &Value) -> Answer {
    service.send(json_request(Method::PUT, PATH, Some(token), body)).await
}

async fn login(service: &Harness, password: &str, code: &str) -> Answer {
    service.post("/auth/login", &json!({"email": EMAIL, "password": password, "code": code})).await
}

/// As if no code had been shown yet.
async fn forget_what_was_used(service: &Harness) {
    service.pool.get().await.unwrap().execute("UPDATE one_time_secrets SET last_step = 0", &[]).await.unwrap();
}

/// Somebody of the staff whose logins need a code, and a token from before.
async fn with_authenticator(service: &Harness) -> (Authenticator, String) {
    service.user(EMAIL, Role::Staff).await;
    let token = service.login(EMAIL, PASSWORD).await.text("token");
    let enrolled = service.post_as(&token, PATH, &json!({"password": PASSWORD})).await;
    assert_eq!(enrolled.status, 201, "{}", enrolled.body);
    let authenticator = Authenticator::set_up(&enrolled.text("secret"));
    let confirmed = put(service, &token, &json!({"code": authenticator.code(0)})).await;
    assert_eq!((confirmed.status.as_u16(), &confirmed.body), (200, &json!({"enabled": true})));
    forget_what_was_used(service).await;
    (authenticator, token)
}

#[tokio::test]
async fn an_authenticator_is_set_up_with_the_password_and_asked_for_from_its_first_code_on() {
    let service = Harness::new().await;
    service.user(EMAIL, Role::Staff).await;
    let token = service.login(EMAIL, PASSWORD).await.text("token");
    let stolen = service.post_as(&token, PATH, &json!({"password": "not their password"})).await;
    assert_eq!(
        (stolen.error(), &stolen.body["errors"][0]["pointer"]),
        ((422, "VALIDATION_FAILED"), &json!("/password"))
    );
    let first = service.post_as(&token, PATH, &json!({"password": PASSWORD})).await.text("secret");
    let enrolled = service.post_as(&token, PATH, &json!({"password": PASSWORD})).await;
    assert_eq!((enrolled.status.as_u16(), enrolled.header("cache-control")), (201, "no-store"));
    let secret = enrolled.text("secret");
    assert_ne!(first, secret);
    let uri = format!("otpauth://totp/127.0.0.1%3A8080:staff%40example.com?secret={secret}&issuer=127.0.0.1%3A8080");
    assert_eq!(enrolled.text("uri"), uri);
    assert_eq!(service.login(EMAIL, PASSWORD).await.status, 200, "nothing was shown yet");
    assert_eq!(service.get_as(&token, PATH).await.body, json!({"enabled": false}));

    let authenticator = Authenticator::set_up(&secret);
    for code in [authenticator.wrong(), Authenticator::set_up(&first).code(0), authenticator.code(-5), String::new()] {
        let refused = put(&service, &token, &json!({"code": code})).await;
        assert_eq!(
            (refused.error(), &refused.body["errors"][0]["pointer"]),
            ((422, "VALIDATION_FAILED"), &json!("/code"))
        );
    }
    assert_eq!(put(&service, &token, &json!({"code": authenticator.code(0)})).await.status, 200);
    assert_eq!(service.get_as(&token, PATH).await.body, json!({"enabled": true}));
    let again = service.post_as(&token, PATH, &json!({"password": PASSWORD})).await;
    assert_eq!(again.error(), (409, "ILLEGAL_TRANSITION"), "a token and a password do not replace it");

    let without = service.login(EMAIL, PASSWORD).await;
    assert_eq!((without.error(), &without.body["oneTimeCode"]), ((401, "UNAUTHENTICATED"), &json!("required")));
    assert_eq!(login(&service, PASSWORD, &authenticator.code(1)).await.status, 200);
    assert_eq!(service.get_as(&token, "/oauth/userinfo").await.status, 200, "who was logged in stays so");
}

#[tokio::test]
async fn a_code_is_good_once_and_with_the_password_alone() {
    let service = Harness::new().await;
    let (authenticator, _) = with_authenticator(&service).await;
    let code = authenticator.code(0);
    let stranger = login(&service, "not their password", &code).await;
    assert_eq!(stranger.error(), (401, "UNAUTHENTICATED"));
    assert!(stranger.body.get("oneTimeCode").is_none(), "a wrong password learns nothing of the authenticator");
    let wrong = login(&service, PASSWORD, &authenticator.wrong()).await;
    assert_eq!((wrong.error(), &wrong.body["oneTimeCode"]), ((401, "UNAUTHENTICATED"), &json!("required")));
    let answers = join_all((0..6).map(|_| login(&service, PASSWORD, &code))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "whoever was first");
    assert_eq!(login(&service, PASSWORD, &authenticator.code(-1)).await.status, 401, "an older one after a newer one");
}

#[tokio::test]
async fn the_login_page_asks_for_the_code_after_the_right_password() {
    let service = Harness::new().await;
    let (authenticator, _) = with_authenticator(&service).await;
    let client = code_client(&service, "console", "openid orders:read offline_access", true).await;
    let mut browser = Browser::default();
    let page = browser.get(&service, &authorize_path(&client, &[])).await;
    let asks = |page: &Answer| page.body.as_str().unwrap().contains("autocomplete=\"one-time-code\"");
    assert!(!asks(&page));
    let page = browser.log_in(&service, &page, EMAIL, "not their password").await;
    assert!(page.status == 422 && !asks(&page));
    let page = browser.log_in(&service, &page, EMAIL, PASSWORD).await;
    assert!(page.status == 422 && asks(&page), "{}", page.body);
    let (csrf, request) = (field(&page, "csrf"), field(&page, "request"));
    let form = |code: String| {
        [("csrf", csrf.clone()), ("request", request.clone()), ("email", EMAIL.to_owned())]
            .into_iter()
            .chain([("password", PASSWORD.to_owned()), ("code", code)])
            .collect::<Vec<_>>()
    };
    for (code, good) in [(authenticator.wrong(), false), (authenticator.code(0), true)] {
        let form = form(code);
        let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = browser.submit(&service, "/oauth/login", &fields).await;
        if good {
            assert!(callback(&answer).contains_key("code"));
        } else {
            assert!(answer.status == 422 && asks(&answer));
        }
    }
}

#[tokio::test]
async fn an_administrator_takes_a_lost_authenticator_away_and_nobody_else_does() {
    let service = Harness::new().await;
    let (_, token) = with_authenticator(&service).await;
    let staff = claims(&token)["sub"].as_str().unwrap().to_owned();
    let path = format!("/api/users/{staff}/one-time-codes");
    assert_eq!(service.call_as(Method::DELETE, &token, &path).await.error(), (403, "INSUFFICIENT_SCOPE"));
    assert_eq!(service.login(EMAIL, PASSWORD).await.status, 401);
    let admin_id = service.user("admin@example.com", Role::Admin).await;
    let admin = service.login("admin@example.com", PASSWORD).await.text("token");
    assert_eq!(service.call_as(Method::DELETE, &admin, &path).await.status, 204);
    assert_eq!(service.login(EMAIL, PASSWORD).await.status, 200);
    assert_eq!(service.call_as(Method::DELETE, &admin, &path).await.status, 204, "again");
    let unknown = "/api/users/usr_01h455vb4pex5vsknk084sn02q/one-time-codes";
    assert_eq!(service.call_as(Method::DELETE, &admin, unknown).await.error(), (404, "NOT_FOUND"));
    let audit = service.get_as(&admin, &format!("/api/audit-events?subject={staff}")).await;
    let told: Vec<(&str, &str)> = audit.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["action"].as_str().unwrap().starts_with("ONE_TIME"))
        .map(|item| (item["action"].as_str().unwrap(), item["actor"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("ONE_TIME_CODES_OFF", admin_id.as_str()), ("ONE_TIME_CODES_ON", staff.as_str())]);
}

#[tokio::test]
async fn customers_and_clients_have_no_authenticator() {
    let service = Harness::new().await;
    let customer = service.register("ada@example.com").await.text("token");
    let client = service.client("shop", "orders:read").await;
    let program = service.client_token(&client).await;
    for token in [customer, program] {
        let refused = service.post_as(&token, PATH, &json!({"password": PASSWORD})).await;
        assert_eq!(refused.error(), (403, "INSUFFICIENT_SCOPE"));
        assert_eq!(service.get_as(&token, PATH).await.error(), (403, "INSUFFICIENT_SCOPE"));
        assert_eq!(put(&service, &token, &json!({"code": "123456"})).await.error(), (403, "INSUFFICIENT_SCOPE"));
    }
}

#[tokio::test]
async fn codes_are_not_guessed_at_without_end() {
    let service = Harness::with_rate_limit(true).await;
    let (authenticator, token) = with_authenticator(&service).await;
    let wrong = authenticator.wrong();
    for _ in 0..5 {
        assert_eq!(login(&service, PASSWORD, &wrong).await.status, 401);
        assert_eq!(put(&service, &token, &json!({"code": wrong})).await.status, 422);
    }
    let limited = login(&service, PASSWORD, &authenticator.code(0)).await;
    assert_eq!(limited.error(), (429, "RATE_LIMITED"), "not even the right one");
    assert_eq!(put(&service, &token, &json!({"code": authenticator.code(0)})).await.error(), (429, "RATE_LIMITED"));
}

#[tokio::test]
async fn secrets_are_sealed_and_go_along_when_the_operator_sets_a_key() {
    let service = Harness::new().await;
    let (authenticator, _) = with_authenticator(&service).await;
    let connection = service.pool.get().await.unwrap();
    let sealed: Vec<u8> = connection.query_one("SELECT sealed_secret FROM one_time_secrets", &[]).await.unwrap().get(0);
    assert!(!sealed.windows(8).any(|part| authenticator.0.windows(8).any(|secret| secret == part)));
    drop(connection);
    let key = KeyEncryptionKey::parse("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap();
    let config = Config { key_encryption_key: Some(key), key_rotation: None, rate_limit: false, mail: None };
    let again = Harness::on(service.database, config).await;
    assert_eq!(login(&again, PASSWORD, &authenticator.code(0)).await.status, 200);
}
