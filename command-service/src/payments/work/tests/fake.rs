//! A payment provider on a port of its own, which does what it is told: fail, hang, forget. It moves money once for every
//! request that asks it to, so that a test sees every repeat.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{
    future::pending,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use web::standard_webhooks::{WebhookSecret, verify};

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Works,
    /// It does not do the next thing, and says 500.
    FailsOnce,
    /// It does the next thing, and says 500.
    MovesAndFailsOnce,
    /// It does it, and never answers.
    MovesAndHangs,
    /// It says that it is under way, for as long as it is in this mood.
    Pends,
    Refuses,
    /// It does not even say where a payment stands.
    Down,
}

#[derive(Debug)]
struct Inner {
    mood: Mood,
    moved: Vec<(String, String)>,
    asked: Vec<String>,
    looks: usize,
    all_signed: bool,
}

type Shared = Arc<Mutex<Inner>>;

/// The provider.
pub struct Fake {
    pub url: String,
    inner: Shared,
}

impl Fake {
    pub async fn start() -> Self {
        let inner = Inner { mood: Mood::Works, moved: Vec::new(), asked: Vec::new(), looks: 0, all_signed: true };
        let inner: Shared = Arc::new(Mutex::new(inner));
        let router = Router::new()
            .route("/payments", post(start))
            .route("/payments/{id}", get(payment))
            .route("/payments/{id}/{step}", post(step))
            .route("/refunds/{id}", get(refund))
            .with_state(Arc::clone(&inner));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        TaskTracker::new().spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    pub fn is(&self, mood: Mood) {
        self.inner.lock().unwrap().mood = mood;
    }

    /// Every movement of money back, by what it was asked for, and how much.
    pub fn moved(&self) -> Vec<(String, String)> {
        self.inner.lock().unwrap().moved.clone()
    }

    /// How often somebody asked where something stands.
    pub fn looks(&self) -> usize {
        self.inner.lock().unwrap().looks
    }

    /// How often it did this.
    pub fn asked(&self, step: &str) -> usize {
        self.inner.lock().unwrap().asked.iter().filter(|asked| *asked == step).count()
    }

    pub fn requests_were_signed(&self) -> bool {
        self.inner.lock().unwrap().all_signed
    }
}

fn look_at_signature(inner: &mut Inner, headers: &HeaderMap, body: &[u8]) {
    let secrets = [WebhookSecret::parse(SECRET).unwrap()];
    inner.all_signed &= verify(&secrets, headers, body, web::request_context::now()).is_ok();
}

fn told(id: &str, status: &str) -> Response {
    let amount = json!({"amount": "39.00", "currency": "EUR"});
    Json(json!({"paymentId": id, "status": status, "amount": amount})).into_response()
}

async fn start(State(inner): State<Shared>, headers: HeaderMap, body: bytes::Bytes) -> Response {
    let mut inner = inner.lock().unwrap();
    look_at_signature(&mut inner, &headers, &body);
    inner.asked.push("start".to_owned());
    told("pay-1", if inner.mood == Mood::Pends { "requires_action" } else { "completed" })
}

async fn payment(State(inner): State<Shared>, Path(id): Path<String>) -> Response {
    let mut inner = inner.lock().unwrap();
    inner.looks += 1;
    if inner.mood == Mood::Down {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    told(&id, if inner.mood == Mood::Pends { "requires_action" } else { "completed" })
}

async fn step(
    State(inner): State<Shared>,
    Path((id, step)): Path<(String, String)>,
    headers: HeaderMap,
    body: bytes::Bytes,
) -> Response {
    let mood = {
        let mut inner = inner.lock().unwrap();
        look_at_signature(&mut inner, &headers, &body);
        let mood = inner.mood;
        if mood == Mood::FailsOnce {
            inner.mood = Mood::Works;
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        if mood == Mood::Refuses {
            return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"detail": "no"}))).into_response();
        }
        inner.asked.push(step.clone());
        if step == "refunds" {
            let body: Value = serde_json::from_slice(&body).unwrap();
            let amount = body["amount"]["amount"].as_str().unwrap().to_owned();
            inner.moved.push((headers["webhook-id"].to_str().unwrap().to_owned(), amount));
        }
        if mood == Mood::MovesAndFailsOnce {
            inner.mood = Mood::Works;
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        mood
    };
    if mood == Mood::MovesAndHangs {
        pending::<()>().await;
    }
    match step.as_str() {
        "refunds" => {
            let status = if mood == Mood::Pends { "pending" } else { "completed" };
            let key = headers["webhook-id"].to_str().unwrap();
            Json(json!({"status": status, "reference": format!("fake-{key}")})).into_response()
        }
        "void" => told(&id, "voided"),
        _ if mood == Mood::Pends => told(&id, "pending"),
        _ => told(&id, "completed"),
    }
}

async fn refund(State(inner): State<Shared>, Path(id): Path<String>) -> Response {
    let mut inner = inner.lock().unwrap();
    inner.looks += 1;
    if !inner.moved.iter().any(|(key, _)| *key == id) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let status = if inner.mood == Mood::Pends { "pending" } else { "completed" };
    Json(json!({"status": status, "reference": format!("fake-{id}")})).into_response()
}
