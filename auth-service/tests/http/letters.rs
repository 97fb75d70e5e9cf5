//! Codes that are mailed: good once, for one purpose, for a while; and nobody learns who has an account.

use crate::harness::{Harness, PASSWORD};
use auth_service::Config;
use serde_json::json;
use service::{MailSettings, Settings};
use sha2::{Digest as _, Sha256};

const NEW_PASSWORD: &str = "another horse battery staple";

async fn harness() -> Harness {
    let mail = MailSettings::from_settings(&Settings::of([("SMTP_URL", "smtp://127.0.0.1:1")])).unwrap();
    let config = Config { key_encryption_key: None, key_rotation: None, rate_limit: false, mail };
    Harness::on(test_support::database().await, config).await
}

impl Harness {
    async fn letters(&self, email: &str) -> Vec<String> {
        let select = "SELECT purpose FROM letters JOIN users ON users.id = user_id WHERE email = $1 ORDER BY letters.created_at, purpose";
        let rows = self.pool.get().await.unwrap().query(select, &[&email]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// A code as it would have been mailed.
    async fn code(&self, email: &str, purpose: &str, code: &str, valid: &str) {
        let insert = format!(
            "INSERT INTO mailed_codes (code_hash, purpose, user_id, expires_at)
             SELECT $1, $2, id, now() + interval '{valid}' FROM users WHERE email = $3"
        );
        let hash = Sha256::digest(code.as_bytes()).to_vec();
        self.pool.get().await.unwrap().execute(&insert, &[&hash, &purpose, &email]).await.unwrap();
    }

    async fn audited(&self, action: &str) -> i64 {
        let count = "SELECT count(*) FROM audit_events WHERE action = $1";
        self.pool.get().await.unwrap().query_one(count, &[&action]).await.unwrap().get(0)
    }
}

#[tokio::test]
async fn forgotten_passwords_are_202_for_everybody_and_a_letter_for_who_has_an_account() {
    let harness = harness().await;
    harness.register("ann@example.org").await;
    assert_eq!(harness.letters("ann@example.org").await, ["verify-email"]);
    for email in ["ann@example.org", "ANN@example.org ", "nobody@example.org", "nonsense"] {
        let answer = harness.post("/auth/password/forgot", &json!({"email": email})).await;
        assert_eq!((answer.status.as_u16(), answer.body.is_null()), (202, true), "{email}");
    }
    assert_eq!(harness.letters("ann@example.org").await, ["verify-email", "reset-password", "reset-password"]);
    assert_eq!(harness.audited("PASSWORD_FORGOTTEN").await, 2);
    let live = "SELECT count(*) FROM mailed_codes WHERE purpose = 'reset-password' AND used_at IS NULL";
    let live: i64 = harness.pool.get().await.unwrap().query_one(live, &[]).await.unwrap().get(0);
    assert_eq!(live, 1, "the last code alone is good");
}

#[tokio::test]
async fn a_reset_takes_its_code_once_and_ends_every_session() {
    let harness = harness().await;
    let registered = harness.register("bob@example.org").await;
    harness.code("bob@example.org", "reset-password", "good", "30 minutes").await;
    harness.code("bob@example.org", "reset-password", "over", "-1 second").await;
    harness.code("bob@example.org", "verify-email", "other", "30 minutes").await;
    let reset = async |code: &str, password: &str| {
        harness.post("/auth/password/reset", &json!({"code": code, "password": password})).await.status.as_u16()
    };
    for wrong in ["over", "other", "none", ""] {
        assert_eq!(reset(wrong, NEW_PASSWORD).await, 422, "{wrong}");
    }
    assert_eq!(reset("good", "short").await, 422, "a weak password spends no code");
    assert_eq!(harness.login("bob@example.org", PASSWORD).await.status, 200);
    assert_eq!(reset("good", NEW_PASSWORD).await, 200);
    assert_eq!(reset("good", NEW_PASSWORD).await, 422);
    assert_eq!(harness.login("bob@example.org", PASSWORD).await.status, 401);
    assert_eq!(harness.login("bob@example.org", NEW_PASSWORD).await.status, 200);
    let refreshed = harness.post("/auth/refresh", &json!({"token": registered.text("refreshToken")})).await;
    assert_eq!(refreshed.status, 401, "sessions of before have ended");
    assert_eq!(harness.get_as(&registered.text("token"), "/oauth/userinfo").await.status, 401);
    assert_eq!(harness.audited("PASSWORD_RESET").await, 1);
}

#[tokio::test]
async fn an_address_is_verified_by_its_code_once() {
    let harness = harness().await;
    let token = harness.register("eve@example.org").await.text("token");
    let verified = async || harness.get_as(&token, "/oauth/userinfo").await.body["email_verified"].clone();
    assert_eq!(verified().await, false);
    harness.code("eve@example.org", "verify-email", "good", "1 day").await;
    harness.code("eve@example.org", "reset-password", "other", "1 day").await;
    let show = async |code: &str| harness.post("/auth/verify-email", &json!({"code": code})).await.status.as_u16();
    assert_eq!(show("other").await, 422);
    assert_eq!(show("good").await, 200);
    assert_eq!(show("good").await, 422);
    assert_eq!(verified().await, true);
    assert_eq!(harness.audited("EMAIL_VERIFIED").await, 1);
}

#[tokio::test]
async fn without_a_mail_server_no_code_is_made() {
    let harness = Harness::new().await;
    harness.register("sue@example.org").await;
    assert_eq!(harness.post("/auth/password/forgot", &json!({"email": "sue@example.org"})).await.status, 202);
    assert!(harness.letters("sue@example.org").await.is_empty());
}
