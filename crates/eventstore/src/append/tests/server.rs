//! A database of a log in memory that can fail at every step. It keeps what the writers rely on in Postgres: statements
//! of a session run in order and go on when the client is gone, heads are locked until the transaction ends, the unique
//! keys decide under those locks, a commit is all or nothing, and a server that falls over forgets what was not
//! committed. Time is paused: with start_paused = true waiting costs nothing.

use crate::Spawner;
use crate::append::{
    batch::Rows,
    careful::{Attempts, Streams},
    session::{Cause, Failure, Found, Moved, Server, Session, Statements},
};
use chrono::{DateTime, Utc};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::{Instant, sleep, timeout_at},
};
use uuid::Uuid;

const STATEMENT_TIMEOUT: Duration = Duration::from_millis(2_000);
const STEP: Duration = Duration::from_millis(1);

/// What happens at a step of some session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Fine,
    /// The connection breaks and the statement is not run.
    BreakBefore,
    /// The statement is run, and the connection breaks before the answer.
    BreakAfter,
    /// The server falls over before the statement and another takes its place.
    FallBefore,
    /// The same, after it.
    FallAfter,
    /// The statement is refused and rolled back, as on a server that is read only by now.
    Refuse,
    /// The statement runs this late.
    Late(u16),
    /// The answer comes this late.
    LateAnswer(u16),
    /// The clock jumps back by seconds.
    ClockBack(u8),
}

/// An event as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    pub partition: i32,
    pub position: i64,
    pub stream_id: String,
    pub version: i64,
    pub event_id: Uuid,
    pub command_id: Option<Uuid>,
    pub metadata: Vec<u8>,
    pub recorded_at: DateTime<Utc>,
    pub payload_bytes: usize,
}

/// A claim of an Idempotency-Key.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub owner: Uuid,
    pub answered: bool,
}

/// What is committed, and what is only in the server's memory.
pub struct World {
    pub events: Vec<Stored>,
    pub heads: Vec<(i64, DateTime<Utc>)>,
    pub claims: HashMap<Vec<u8>, Claimed>,
    /// What each insert brought: events, and bytes of payload.
    pub batches: Vec<(usize, usize)>,
    faults: VecDeque<Fault>,
    locks: HashMap<i32, u64>,
    /// A claim that a transaction looked at or answered is nobody else's to take over until it ends.
    claim_locks: HashMap<Vec<u8>, u64>,
    sessions: u64,
    /// Counts the servers: sessions of an earlier one are gone.
    server: u64,
    away_until: Instant,
    began: Instant,
    back: chrono::Duration,
}

/// The database, as the writers of all processes reach it.
#[derive(Clone)]
pub struct InMemory {
    world: Arc<Mutex<World>>,
    unlocked: Arc<Notify>,
}

impl InMemory {
    pub fn new(partitions: i32, faults: Vec<Fault>) -> Self {
        let heads = (0..partitions).map(|_| (0, DateTime::UNIX_EPOCH)).collect();
        let now = Instant::now();
        let world = World {
            events: Vec::new(),
            heads,
            claims: HashMap::new(),
            batches: Vec::new(),
            faults: faults.into(),
            locks: HashMap::new(),
            claim_locks: HashMap::new(),
            sessions: 0,
            server: 0,
            away_until: now,
            began: now,
            back: chrono::Duration::zero(),
        };
        Self { world: Arc::new(Mutex::new(world)), unlocked: Arc::new(Notify::new()) }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub fn version(&self, stream_id: &str) -> i64 {
        self.world().version(stream_id)
    }
}

impl World {
    pub fn version(&self, stream_id: &str) -> i64 {
        self.events.iter().filter(|event| event.stream_id == stream_id).map(|event| event.version).max().unwrap_or(0)
    }

    /// Claims a key as a request does: anew, or from an owner who was too slow.
    pub fn claim(&mut self, scope_hash: &[u8], owner: Uuid) {
        if self.claim_locks.contains_key(scope_hash) {
            return;
        }
        let held = self.claims.entry(scope_hash.to_vec()).or_insert(Claimed { owner, answered: false });
        if !held.answered {
            held.owner = owner;
        }
    }

    fn now(&self) -> DateTime<Utc> {
        let passed = chrono::Duration::from_std(self.began.elapsed()).unwrap();
        DateTime::UNIX_EPOCH + chrono::Duration::days(20_000) + passed - self.back
    }

    fn fall(&mut self) {
        self.server += 1;
        self.locks.clear();
        self.claim_locks.clear();
        self.away_until = Instant::now() + Duration::from_millis(300);
    }
}

/// What a statement asks for, without borrowing from who asks.
enum Ask {
    Begin,
    Commit,
    Rollback,
    /// The events, and the claims with their owners that are answered.
    Insert(Vec<Stored>, Vec<(Vec<u8>, Uuid)>),
    LockHeads(Vec<i32>),
    StreamVersions(Vec<String>),
    /// Ordinal, stream, command_id, event_id, tried version.
    FirstResults(Vec<(i64, String, Option<Uuid>, Uuid, i64)>),
    OpenClaims(Vec<Vec<u8>>),
}

#[derive(Default)]
struct Answer {
    moved: Vec<Moved>,
    versions: Vec<i64>,
    found: Vec<Found>,
    open: Vec<(Vec<u8>, Uuid)>,
}

type Reply = oneshot::Sender<Result<Answer, Failure>>;

/// The client's end of a session.
pub struct Client(mpsc::UnboundedSender<(Ask, Reply)>);

impl Server for InMemory {
    type Session = Client;

    async fn connect(&self) -> Result<Client, Cause> {
        sleep(STEP).await;
        let (sender, receiver) = mpsc::unbounded_channel();
        let backend = {
            let mut world = self.world();
            if Instant::now() < world.away_until {
                return Err("the server is starting up".into());
            }
            world.sessions += 1;
            let (id, server) = (world.sessions, world.server);
            Backend { database: self.clone(), id, server, transaction: None }
        };
        Spawner::default().spawn(backend.run(receiver));
        Ok(Client(sender))
    }
}

impl Client {
    fn send(&self, ask: Ask) -> impl Future<Output = Result<Answer, Failure>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let sent = self.0.send((ask, reply)).is_ok();
        async move {
            match answer.await {
                Ok(answer) if sent => answer,
                _ => Err(Failure::Lost(None)),
            }
        }
    }
}

impl Session for Client {
    fn statements(&self) -> impl Statements {
        self
    }

    async fn begin(&self) -> Result<(), Failure> {
        self.send(Ask::Begin).await.map(drop)
    }

    async fn commit(&self) -> Result<(), Failure> {
        self.send(Ask::Commit).await.map(drop)
    }

    async fn rollback(&self) -> Result<(), Failure> {
        self.send(Ask::Rollback).await.map(drop)
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl Statements for &Client {
    async fn insert(&self, rows: &Rows<'_>) -> Result<Vec<Moved>, Failure> {
        let events = (0..rows.versions.len()).map(|at| Stored {
            partition: rows.partitions[at],
            position: rows.ordinals[at],
            stream_id: rows.stream_ids[at].to_owned(),
            version: rows.versions[at],
            event_id: rows.event_ids[at],
            command_id: rows.command_ids[at],
            metadata: rows.metadata[at].to_vec(),
            recorded_at: DateTime::UNIX_EPOCH,
            payload_bytes: rows.payloads[at].len(),
        });
        let claims = rows.claims.scope_hashes.iter().map(|hash| hash.to_vec()).zip(rows.claims.owners.iter().copied());
        self.send(Ask::Insert(events.collect(), claims.collect())).await.map(|answer| answer.moved)
    }

    async fn lock_heads(&self, partitions: &[i32]) -> Result<(), Failure> {
        self.send(Ask::LockHeads(partitions.to_vec())).await.map(drop)
    }

    async fn stream_versions(&self, streams: &Streams<'_>) -> Result<Vec<i64>, Failure> {
        let ids = streams.ids.iter().map(|id| (*id).to_owned()).collect();
        self.send(Ask::StreamVersions(ids)).await.map(|answer| answer.versions)
    }

    async fn first_results(&self, attempts: &Attempts<'_>) -> Result<Vec<Found>, Failure> {
        let attempts = (0..attempts.ordinals.len()).map(|at| {
            let Attempts { ordinals, stream_ids, command_ids, event_ids, tried, .. } = attempts;
            (ordinals[at], stream_ids[at].to_owned(), command_ids[at], event_ids[at], tried[at])
        });
        self.send(Ask::FirstResults(attempts.collect())).await.map(|answer| answer.found)
    }

    async fn open_claims(&self, scope_hashes: &[&[u8]]) -> Result<Vec<(Vec<u8>, Uuid)>, Failure> {
        let hashes = scope_hashes.iter().map(|hash| hash.to_vec()).collect();
        self.send(Ask::OpenClaims(hashes)).await.map(|answer| answer.open)
    }
}

/// What a transaction did so far; only it sees that.
#[derive(Default)]
struct Transaction {
    events: Vec<Stored>,
    answered: Vec<Vec<u8>>,
    failed: bool,
}

/// The server's end of a session.
struct Backend {
    database: InMemory,
    id: u64,
    server: u64,
    transaction: Option<Transaction>,
}

impl Backend {
    /// Runs what was sent, in order, until the session ends; also what the client no longer waits for.
    async fn run(mut self, mut asked: mpsc::UnboundedReceiver<(Ask, Reply)>) {
        while let Some((ask, reply)) = asked.recv().await {
            sleep(STEP).await;
            let fault = self.database.world().faults.pop_front().unwrap_or(Fault::Fine);
            match fault {
                Fault::BreakBefore => break,
                Fault::FallBefore => self.database.world().fall(),
                Fault::Late(ms) => sleep(Duration::from_millis(ms.into())).await,
                Fault::ClockBack(seconds) => {
                    self.database.world().back += chrono::Duration::seconds(seconds.into());
                }
                _ => {}
            }
            let answer = if fault == Fault::Refuse { self.refuse(&ask) } else { self.execute(ask).await };
            if self.database.world().server != self.server {
                break;
            }
            match fault {
                Fault::BreakAfter => break,
                Fault::FallAfter => {
                    self.database.world().fall();
                    break;
                }
                Fault::LateAnswer(ms) => sleep(Duration::from_millis(ms.into())).await,
                _ => {}
            }
            let _ = reply.send(answer);
        }
        self.unlock();
        asked.close();
    }

    fn unlock(&self) {
        {
            let mut world = self.database.world();
            world.locks.retain(|_, holder| *holder != self.id);
            world.claim_locks.retain(|_, holder| *holder != self.id);
        }
        self.database.unlocked.notify_waiters();
    }

    /// An error of the server, which undoes the transaction.
    fn refuse(&mut self, ask: &Ask) -> Result<Answer, Failure> {
        match ask {
            Ask::Commit | Ask::Rollback => {
                self.transaction = None;
                self.unlock();
            }
            _ => self.fail(),
        }
        Err(Failure::NotNow("the server is read only".into()))
    }

    fn fail(&mut self) {
        match &mut self.transaction {
            Some(transaction) => transaction.failed = true,
            None => self.unlock(),
        }
    }

    async fn execute(&mut self, ask: Ask) -> Result<Answer, Failure> {
        let failed = self.transaction.as_ref().is_some_and(|transaction| transaction.failed);
        if failed && !matches!(ask, Ask::Commit | Ask::Rollback) {
            return Err(Failure::NotNow("the transaction is aborted".into()));
        }
        let done = match ask {
            Ask::Begin => {
                self.transaction = Some(Transaction::default());
                Ok(Answer::default())
            }
            Ask::Rollback => {
                self.transaction = None;
                self.unlock();
                Ok(Answer::default())
            }
            // The commit of a transaction that failed is a rollback, and no error.
            Ask::Commit => {
                let done = self.transaction.take().filter(|transaction| !transaction.failed);
                self.store(done.unwrap_or_default());
                Ok(Answer::default())
            }
            Ask::LockHeads(partitions) => self.lock(&partitions).await.map(|()| Answer::default()),
            Ask::Insert(events, claims) => self.insert(events, claims).await,
            reads => Ok(self.read(reads)),
        };
        if done.is_err() {
            self.fail();
        }
        done
    }

    /// Waits for the locks, as long as a statement may take.
    async fn lock(&self, partitions: &[i32]) -> Result<(), Failure> {
        let until = Instant::now() + STATEMENT_TIMEOUT;
        for partition in partitions {
            loop {
                let unlocked = self.database.unlocked.notified();
                {
                    let mut world = self.database.world();
                    if world.server != self.server {
                        return Err(Failure::Lost(None));
                    }
                    if *world.locks.entry(*partition).or_insert(self.id) == self.id {
                        break;
                    }
                }
                if timeout_at(until, unlocked).await.is_err() {
                    return Err(Failure::NotNow("canceling statement due to statement timeout".into()));
                }
            }
        }
        Ok(())
    }

    async fn insert(&mut self, mut events: Vec<Stored>, claims: Vec<(Vec<u8>, Uuid)>) -> Result<Answer, Failure> {
        let bytes = events.iter().map(|event| event.payload_bytes).sum();
        self.database.world().batches.push((events.len(), bytes));
        let mut partitions: Vec<i32> = events.iter().map(|event| event.partition).collect();
        partitions.sort_unstable();
        partitions.dedup();
        self.lock(&partitions).await?;
        let mut moved = Vec::new();
        {
            let world = self.database.world();
            for partition in partitions {
                let (base, last) = world.heads[usize::try_from(partition).unwrap()];
                moved.push(Moved { partition, base, recorded_at: world.now().max(last) });
            }
            for event in &mut events {
                let head = moved.iter().find(|head| head.partition == event.partition).unwrap();
                event.position += head.base;
                event.recorded_at = head.recorded_at;
                let taken = |other: &&Stored| {
                    other.stream_id == event.stream_id
                        && (other.version == event.version
                            || event.command_id.is_some() && other.command_id == event.command_id)
                };
                if world.events.iter().any(|other| taken(&other)) {
                    return Err(Failure::Contested("duplicate key value violates unique constraint".into()));
                }
            }
        }
        let answered = self.answer_claims(claims)?;
        match &mut self.transaction {
            Some(transaction) => {
                transaction.events.extend(events);
                transaction.answered.extend(answered);
            }
            None => self.store(Transaction { events, answered, failed: false }),
        }
        Ok(Answer { moved, ..Answer::default() })
    }

    /// Which claims the transaction answers, all of them or none.
    fn answer_claims(&self, claims: Vec<(Vec<u8>, Uuid)>) -> Result<Vec<Vec<u8>>, Failure> {
        let ours = {
            let mut world = self.database.world();
            world.claim_locks.extend(claims.iter().map(|(hash, _)| (hash.clone(), self.id)));
            claims.iter().all(|(hash, owner)| {
                world.claims.get(hash).is_some_and(|claim| claim.owner == *owner && !claim.answered)
            })
        };
        if !ours {
            return Err(Failure::Contested("a claim is no longer ours".into()));
        }
        Ok(claims.into_iter().map(|(hash, _)| hash).collect())
    }

    /// The commit: all of it at once, if this server is still the one.
    fn store(&mut self, transaction: Transaction) {
        {
            let mut world = self.database.world();
            if world.server == self.server {
                for event in transaction.events {
                    let head = &mut world.heads[usize::try_from(event.partition).unwrap()];
                    *head = (head.0.max(event.position), head.1.max(event.recorded_at));
                    world.events.push(event);
                }
                for hash in transaction.answered {
                    world.claims.get_mut(&hash).unwrap().answered = true;
                }
            }
        }
        self.unlock();
    }

    /// On a fresh snapshot.
    fn read(&self, ask: Ask) -> Answer {
        let mut world = self.database.world();
        match ask {
            Ask::StreamVersions(ids) => {
                Answer { versions: ids.iter().map(|id| world.version(id)).collect(), ..Answer::default() }
            }
            Ask::FirstResults(attempts) => {
                let found = attempts.iter().filter_map(|(ordinal, stream_id, command_id, event_id, tried)| {
                    let by_command = |event: &&Stored| command_id.is_some() && event.command_id == *command_id;
                    let by_event = |event: &&Stored| event.version == *tried && event.event_id == *event_id;
                    let mut stream = world.events.iter().filter(|event| event.stream_id == *stream_id);
                    let event = stream.clone().find(by_command).or_else(|| stream.find(by_event))?;
                    Some(Found {
                        ordinal: *ordinal,
                        position: event.position,
                        version: event.version,
                        recorded_at: event.recorded_at,
                        metadata: event.metadata.clone(),
                        same_event: event.event_id == *event_id,
                    })
                });
                Answer { found: found.collect(), ..Answer::default() }
            }
            Ask::OpenClaims(hashes) => {
                world.claim_locks.extend(hashes.iter().map(|hash| (hash.clone(), self.id)));
                let open = hashes.into_iter().filter_map(|hash| {
                    let claim = world.claims.get(&hash).filter(|claim| !claim.answered)?;
                    Some((hash, claim.owner))
                });
                Answer { open: open.collect(), ..Answer::default() }
            }
            _ => Answer::default(),
        }
    }
}
