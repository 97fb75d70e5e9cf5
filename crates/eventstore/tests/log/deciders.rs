//! Running a decider: a purse that holds coins and knows whose it is.

use crate::fixture::{fixture, metadata, some_uuid};
use eventstore::{Begun, ClaimScope, Claims, Decider, ExecuteError, Executed, Execution, StoredAnswer, testing::given};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared_events::{
    EventBody, PayloadError,
    sealed::{KeyRing, SealingKey},
};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Event {
    Opened { owner: Option<String> },
    CoinsAdded { coins: i64 },
    CoinsTaken { coins: i64 },
}

impl EventBody for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "Opened",
            Self::CoinsAdded { .. } => "CoinsAdded",
            Self::CoinsTaken { .. } => "CoinsTaken",
        }
    }

    fn schema_version(&self) -> i16 {
        1
    }

    fn to_json(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn from_json(event_type: &str, schema_version: i16, payload: Value) -> Result<Self, PayloadError> {
        let event_type = event_type.to_owned();
        serde_json::from_value(payload).map_err(|source| PayloadError::Shape { event_type, schema_version, source })
    }

    fn current_version(_: &str) -> Option<i16> {
        Some(1)
    }

    fn upcast(_: &str, _: i16, payload: Value) -> Result<Value, PayloadError> {
        Ok(payload)
    }

    fn personal_fields(event_type: &str, _: i16) -> &'static [&'static str] {
        if event_type == "Opened" { &["/owner"] } else { &[] }
    }

    fn cloud_event_type(event_type: &str, _: i16) -> String {
        event_type.to_owned()
    }
}

#[derive(Debug, Clone)]
enum Command {
    Open {
        owner: &'static str,
    },
    Add(i64),
    /// Takes and gives back, two events.
    Lend(i64),
    /// Takes what is there, if anything.
    Empty,
}

#[derive(Debug, PartialEq, Eq)]
enum Rejection {
    NotOpen,
    NotEnough,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Purse {
    open: bool,
    owner: Option<String>,
    coins: i64,
}

#[derive(Debug)]
struct Purses;

impl Decider for Purses {
    type State = Purse;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    const STREAM_TYPE: &'static str = "Purse";

    fn decide(purse: &Purse, command: Command) -> Result<Vec<Event>, Rejection> {
        if let Command::Open { owner } = command {
            return Ok(vec![Event::Opened { owner: Some(owner.to_owned()) }]);
        }
        if !purse.open {
            return Err(Rejection::NotOpen);
        }
        match command {
            Command::Open { .. } => Ok(Vec::new()),
            Command::Add(coins) => Ok(vec![Event::CoinsAdded { coins }]),
            Command::Lend(coins) if coins > purse.coins => Err(Rejection::NotEnough),
            Command::Lend(coins) => Ok(vec![Event::CoinsTaken { coins }, Event::CoinsAdded { coins }]),
            Command::Empty if purse.coins == 0 => Ok(Vec::new()),
            Command::Empty => Ok(vec![Event::CoinsTaken { coins: purse.coins }]),
        }
    }

    fn evolve(purse: Purse, event: &Event) -> Purse {
        match event {
            Event::Opened { owner } => Purse { open: true, owner: owner.clone(), ..purse },
            Event::CoinsAdded { coins } => Purse { coins: purse.coins + coins, ..purse },
            Event::CoinsTaken { coins } => Purse { coins: purse.coins - coins, ..purse },
        }
    }
}

fn execution(command: Command) -> Execution<Purses> {
    Execution {
        stream_id: "purse".to_owned(),
        command,
        expected_version: None,
        command_id: None,
        metadata: metadata(),
        sealing_key: None,
    }
}

fn with_id(command: Command, id: Uuid) -> Execution<Purses> {
    Execution { command_id: Some(id), ..execution(command) }
}

#[test]
fn a_decider_is_tested_without_a_log() {
    let opened = || Event::Opened { owner: Some("Ann".to_owned()) };
    given::<Purses>([]).when(Command::Add(3)).then_rejected(&Rejection::NotOpen);
    given::<Purses>([opened()]).when(Command::Empty).then_nothing();
    let after = given::<Purses>([opened()]).when(Command::Add(3)).then([Event::CoinsAdded { coins: 3 }]);
    assert_eq!(after.state().coins, 3);
    after
        .when(Command::Lend(2))
        .then_events(|events| assert_eq!(events.len(), 2))
        .when(Command::Empty)
        .then([Event::CoinsTaken { coins: 3 }]);
}

/// Handlers need that: it holds because this compiles.
#[tokio::test]
async fn a_command_may_be_run_on_any_thread() {
    fn on_any_thread<T: Send>(future: T) -> T {
        future
    }
    let fixture = fixture().await;
    let ring = KeyRing::default();
    let run = on_any_thread(fixture.log.execute(execution(Command::Empty), &ring, |_, _| None));
    assert!(matches!(run.await, Err(ExecuteError::Rejected(Rejection::NotOpen))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commands_that_name_no_version_are_decided_again_until_they_fit() {
    let fixture = fixture().await;
    let (log, key) = (&fixture.log, SealingKey::generate());
    let ring: KeyRing = [key.clone()].into_iter().collect();
    let open = Execution { sealing_key: Some(key), ..execution(Command::Open { owner: "Ann" }) };
    log.execute(open, &ring, |_, _| None).await.unwrap();
    for _ in 0..10 {
        let results = join_all((0..6).map(|_| log.execute(execution(Command::Add(1)), &ring, |_, _| None))).await;
        results.into_iter().for_each(|result| assert!(result.is_ok(), "{result:?}"));
    }
    let loaded = log.load::<Purses>("purse", i64::MAX, &ring).await.unwrap();
    assert_eq!((loaded.state.coins, loaded.version), (60, 61));
    assert_eq!(log.load::<Purses>("purse", 11, &ring).await.unwrap().state.coins, 10);
    fixture.assert_sound().await;
}

#[tokio::test]
async fn a_command_that_names_another_version_is_a_mismatch() {
    let fixture = fixture().await;
    let (log, key, ring) = (&fixture.log, SealingKey::generate(), KeyRing::default());
    let open = Execution { sealing_key: Some(key), ..execution(Command::Open { owner: "Ann" }) };
    log.execute(open, &ring, |_, _| None).await.unwrap();
    for version in [0, 2, 99] {
        let named = Execution { expected_version: Some(version), ..execution(Command::Add(1)) };
        let refused = log.execute(named, &ring, |_, _| None).await;
        assert!(matches!(refused, Err(ExecuteError::VersionMismatch { actual: 1 })), "{refused:?}");
    }
    let named = || Execution { expected_version: Some(1), ..execution(Command::Add(1)) };
    let both = join_all([named(), named()].map(|named| log.execute(named, &ring, |_, _| None))).await;
    assert_eq!(both.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(log.stream_version("purse").await.unwrap(), 2);
}

#[tokio::test]
async fn personal_fields_are_sealed_and_read_as_null_once_the_key_is_gone() {
    let fixture = fixture().await;
    let (log, key) = (&fixture.log, SealingKey::generate());
    let none = KeyRing::default();
    let without = log.execute(execution(Command::Open { owner: "Ann" }), &none, |_, _| None).await;
    assert!(matches!(without, Err(ExecuteError::Payload(_))));
    let open = Execution { sealing_key: Some(key.clone()), ..execution(Command::Open { owner: "Ann" }) };
    log.execute(open, &none, |_, _| None).await.unwrap();
    let stored = log.read_stream("purse", 0, 10).await.unwrap();
    assert!(!String::from_utf8_lossy(&stored[0].payload).contains("Ann"));
    let ring: KeyRing = [key.clone()].into_iter().collect();
    let loaded = log.load::<Purses>("purse", i64::MAX, &ring).await.unwrap();
    assert_eq!(loaded.state.owner.as_deref(), Some("Ann"));
    assert_eq!(loaded.key.map(|key| key.id()), Some(key.id()));
    assert_eq!(log.load::<Purses>("purse", i64::MAX, &none).await.unwrap().state.owner, None);
    // The stream's own key seals what comes later.
    log.execute(execution(Command::Open { owner: "Bea" }), &ring, |_, _| None).await.unwrap();
    assert_eq!(log.load::<Purses>("purse", i64::MAX, &ring).await.unwrap().state.owner.as_deref(), Some("Bea"));
}

#[tokio::test]
async fn a_repeat_answers_as_the_first_time_even_if_it_could_not_be_decided_now() {
    let fixture = fixture().await;
    let (log, key) = (&fixture.log, SealingKey::generate());
    let ring = KeyRing::default();
    let open = Execution { sealing_key: Some(key), ..execution(Command::Open { owner: "Ann" }) };
    log.execute(open, &ring, |_, _| None).await.unwrap();
    log.execute(execution(Command::Add(5)), &ring, |_, _| None).await.unwrap();
    let id = some_uuid();
    let first = log.execute(with_id(Command::Lend(5), id), &ring, |_, _| None).await.unwrap();
    log.execute(execution(Command::Empty), &ring, |_, _| None).await.unwrap();
    let Executed { state, version, appended } =
        log.execute(with_id(Command::Lend(5), id), &ring, |_, _| None).await.unwrap();
    assert_eq!((state.coins, version, first.version), (5, 4, 4));
    let (appended, first) = (appended.unwrap(), first.appended.unwrap());
    assert!(appended.duplicate && !first.duplicate);
    assert_eq!((appended.first_position, appended.last_position), (first.first_position, first.last_position));
    let rejected = log.execute(with_id(Command::Lend(5), some_uuid()), &ring, |_, _| None).await;
    assert!(matches!(rejected, Err(ExecuteError::Rejected(Rejection::NotEnough))));
}

#[tokio::test]
async fn the_answer_is_made_from_the_new_state_and_stored_in_every_case() {
    let fixture = fixture().await;
    let claims = Claims::open(fixture.pool.clone()).await.unwrap();
    let (log, key, ring) = (&fixture.log, SealingKey::generate(), KeyRing::default());
    let id = some_uuid();
    let open = Execution { sealing_key: Some(key), ..execution(Command::Open { owner: "Ann" }) };
    log.execute(open, &ring, |_, _| None).await.unwrap();
    // Appended; repeated; and nothing to do.
    let cases = [("a", with_id(Command::Add(2), id), "2@2"), ("b", with_id(Command::Add(2), id), "2@2")];
    let nothing = [("c", execution(Command::Empty), "0@3"), ("d", execution(Command::Empty), "0@3")];
    for (key, execution, body) in cases.into_iter().chain(nothing) {
        let scope = ClaimScope { client: "c", subject: "s", method: "POST", path: "/", key };
        let Begun::Fresh(claim) = claims.begin(&scope, b"", &json!(null)).await.unwrap() else { panic!() };
        let answer = |purse: &Purse, version: i64| {
            let body = format!("{}@{version}", purse.coins).into();
            Some(claim.done(StoredAnswer { status: 200, headers: Vec::new(), body, concerns: Vec::new() }))
        };
        log.execute(execution, &ring, answer).await.unwrap();
        let Begun::Replay(replayed) = claims.begin(&scope, b"", &json!(null)).await.unwrap() else { panic!() };
        assert_eq!(replayed.body, body.as_bytes());
    }
}
