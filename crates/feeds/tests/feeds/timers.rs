//! Durable timers.

use crate::fixture::{Fixture, fixture};
use chrono::{DateTime, TimeDelta, Utc};
use feeds::{
    HandleError,
    timer::{self, DueTimer, NewTimer, TimerHandler, TimerWorker},
};
use std::sync::{Arc, Mutex};
use test_support::{eventually, eventually_some};
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[derive(Clone, Default)]
struct Ringing {
    rung: Arc<Mutex<Vec<DueTimer>>>,
    failures: Arc<Mutex<u32>>,
    gate: Option<Arc<Semaphore>>,
}

impl Ringing {
    fn ids(&self) -> Vec<String> {
        self.rung.lock().unwrap().iter().map(|timer| timer.timer_id.clone()).collect()
    }
}

impl TimerHandler for Ringing {
    fn kinds(&self) -> &'static [&'static str] {
        &["bell", "gong"]
    }

    async fn fire(&self, timer: &DueTimer) -> Result<(), HandleError> {
        self.rung.lock().unwrap().push(timer.clone());
        if let Some(gate) = &self.gate {
            let _permit = gate.acquire().await.map_err(HandleError::retry)?;
        }
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err(HandleError::retry("not yet"));
        }
        Ok(())
    }
}

struct Worker {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Worker {
    fn start(world: &Fixture, ringing: &Ringing) -> Self {
        let stop = world.spawner.stop().child_token();
        let worker = TimerWorker::new(ringing.clone(), world.pool.clone());
        Self { task: TaskTracker::new().spawn(worker.run(stop.clone())), stop }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

async fn now(world: &Fixture) -> DateTime<Utc> {
    world.query("SELECT clock_timestamp()").await
}

async fn bell(world: &Fixture, id: &str, milliseconds: i64) -> NewTimer {
    NewTimer {
        timer_id: id.to_owned(),
        kind: "bell".to_owned(),
        stream_id: "a-stream".to_owned(),
        payload: serde_json::json!({"for": id}),
        due_at: now(world).await + TimeDelta::milliseconds(milliseconds),
    }
}

async fn schedule(world: &Fixture, timer: &NewTimer) -> bool {
    let mut client = world.pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let scheduled = timer::schedule(&transaction, timer).await.unwrap();
    transaction.commit().await.unwrap();
    scheduled
}

async fn timers(world: &Fixture) -> i64 {
    world.query("SELECT count(*) FROM timer").await
}

#[tokio::test]
async fn a_timer_fires_once_within_a_second_of_being_due_and_not_before() {
    let world = fixture().await;
    let ringing = Ringing::default();
    let _worker = Worker::start(&world, &ringing);
    let timer = bell(&world, "one", 300).await;
    assert!(schedule(&world, &timer).await);
    assert!(!schedule(&world, &timer).await, "a repeat changes nothing");

    eventually(|| async { !ringing.ids().is_empty() }).await;
    let late = now(&world).await - timer.due_at;
    assert!(late >= TimeDelta::zero() && late < TimeDelta::seconds(1), "{late}");
    eventually(|| async { timers(&world).await == 0 }).await;
    assert_eq!(ringing.ids(), ["one"]);
    assert_eq!(ringing.rung.lock().unwrap()[0].payload, serde_json::json!({"for": "one"}));
}

#[tokio::test]
async fn timers_survive_a_restart_and_those_that_fell_due_meanwhile_fire_then() {
    let world = fixture().await;
    let ringing = Ringing::default();
    Worker::start(&world, &ringing).stop().await;
    schedule(&world, &bell(&world, "past", -5_000).await).await;
    schedule(&world, &bell(&world, "soon", 200).await).await;
    schedule(&world, &bell(&world, "later", 3_600_000).await).await;

    let _worker = Worker::start(&world, &ringing);
    eventually(|| async { timers(&world).await == 1 }).await;
    assert_eq!(ringing.ids(), ["past", "soon"]);
}

#[tokio::test]
async fn several_instances_share_the_timers() {
    let world = fixture().await;
    let (one, other) = (Ringing::default(), Ringing::default());
    for n in 0..60 {
        schedule(&world, &bell(&world, &format!("timer-{n}"), 0).await).await;
    }
    let _workers = (Worker::start(&world, &one), Worker::start(&world, &other));
    eventually(|| async { timers(&world).await == 0 }).await;
    let mut rung = [one.ids(), other.ids()].concat();
    rung.sort();
    rung.dedup();
    assert_eq!((rung.len(), one.ids().len() + other.ids().len()), (60, 60));
}

#[tokio::test]
async fn a_timer_whose_handler_fails_is_fired_again() {
    let world = fixture().await;
    let ringing = Ringing { failures: Arc::new(Mutex::new(1)), ..Ringing::default() };
    let _worker = Worker::start(&world, &ringing);
    schedule(&world, &bell(&world, "one", 0).await).await;
    let error = eventually_some(|| async {
        let client = world.pool.get().await.unwrap();
        let row = client.query_opt("SELECT last_error FROM timer WHERE last_error IS NOT NULL", &[]).await.unwrap();
        row.map(|row| row.get::<_, String>(0))
    });
    assert_eq!(error.await, "not yet");

    eventually(|| async { timers(&world).await == 0 }).await;
    let attempts: Vec<i32> = ringing.rung.lock().unwrap().iter().map(|timer| timer.attempts).collect();
    assert_eq!(attempts, [1, 2]);
}

#[tokio::test]
async fn a_timer_of_a_worker_that_died_while_firing_fires_again() {
    let world = fixture().await;
    let dead = Ringing { gate: Some(Arc::new(Semaphore::new(0))), ..Ringing::default() };
    let killed = Worker::start(&world, &dead);
    schedule(&world, &bell(&world, "one", 0).await).await;
    eventually(|| async { dead.ids().len() == 1 }).await;

    killed.task.abort();
    assert!(killed.task.await.is_err_and(|error| error.is_cancelled()));

    // As if the lease had run out.
    world.execute("UPDATE timer SET next_at = clock_timestamp()").await;
    let alive = Ringing::default();
    let _alive = Worker::start(&world, &alive);
    eventually(|| async { timers(&world).await == 0 }).await;
    assert_eq!(alive.ids(), ["one"]);
}

#[tokio::test]
async fn a_cancelled_timer_does_not_fire_and_a_rescheduled_one_fires_at_its_new_time() {
    let world = fixture().await;
    schedule(&world, &bell(&world, "cancelled", 0).await).await;
    schedule(&world, &bell(&world, "moved", 0).await).await;
    let moved = bell(&world, "moved", 400).await;
    let mut client = world.pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    assert!(timer::cancel(&transaction, "cancelled").await.unwrap());
    assert!(!timer::cancel(&transaction, "unknown").await.unwrap());
    timer::reschedule(&transaction, &moved).await.unwrap();
    transaction.commit().await.unwrap();

    let ringing = Ringing::default();
    let _worker = Worker::start(&world, &ringing);
    eventually(|| async { timers(&world).await == 0 }).await;
    assert_eq!(ringing.ids(), ["moved"]);
    assert!(now(&world).await >= moved.due_at);
}

#[tokio::test]
async fn a_timer_rescheduled_while_it_fires_fires_again() {
    let world = fixture().await;
    let gate = Arc::new(Semaphore::new(0));
    let ringing = Ringing { gate: Some(Arc::clone(&gate)), ..Ringing::default() };
    let _worker = Worker::start(&world, &ringing);
    schedule(&world, &bell(&world, "one", 0).await).await;
    eventually(|| async { ringing.ids().len() == 1 }).await;

    let mut client = world.pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    timer::reschedule(&transaction, &bell(&world, "one", 100).await).await.unwrap();
    transaction.commit().await.unwrap();
    gate.add_permits(10);

    eventually(|| async { ringing.ids().len() == 2 && timers(&world).await == 0 }).await;
}

#[tokio::test]
async fn a_timer_set_in_a_transaction_that_rolls_back_never_fires() {
    let world = fixture().await;
    let ringing = Ringing::default();
    let _worker = Worker::start(&world, &ringing);
    let mut client = world.pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    timer::schedule(&transaction, &bell(&world, "never", 0).await).await.unwrap();
    transaction.rollback().await.unwrap();
    schedule(&world, &bell(&world, "another", 0).await).await;
    eventually(|| async { timers(&world).await == 0 && !ringing.ids().is_empty() }).await;
    assert_eq!(ringing.ids(), ["another"]);
}

#[tokio::test]
async fn a_slow_firing_holds_up_no_other_timer() {
    let world = fixture().await;
    let gate = Arc::new(Semaphore::new(0));
    let ringing = Ringing { gate: Some(Arc::clone(&gate)), ..Ringing::default() };
    let _worker = Worker::start(&world, &ringing);
    schedule(&world, &bell(&world, "slow", 0).await).await;
    eventually(|| async { ringing.ids().len() == 1 }).await;
    schedule(&world, &bell(&world, "another", 0).await).await;
    eventually(|| async { ringing.ids().len() == 2 }).await;
    gate.add_permits(10);
    eventually(|| async { timers(&world).await == 0 }).await;
}
