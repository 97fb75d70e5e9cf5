//! What a reader does besides handling events: its leases, its share of the partitions, its parked streams.

use super::{Followed, RENEWAL, Runner, SEARCH};
use crate::{
    HandleError, StartFrom,
    error::chain,
    reader::{
        lease::{self, Held},
        retry,
        status::Target,
        work::{Again, MOST_PARKED_STREAMS, RoundError, Work},
    },
};
use pg::Client;
use std::{pin::pin, sync::Arc};
use tokio::time::Instant;

impl<W: Work> Runner<W> {
    /// Renews leases, takes or gives partitions so that every instance has its share, and tries parked streams again.
    pub(super) async fn look_around(&mut self) -> Result<(), RoundError> {
        let identity = self.lane.identity;
        let client = self.client().await?;
        let instance = match self.instance {
            Some(instance) => instance,
            None => *self.instance.insert(lease::join(&client, identity).await.map_err(HandleError::retry)?),
        };
        self.begin_logs(&client).await?;
        let renewed = lease::renew(&client, identity, instance).await.map_err(HandleError::retry)?;
        let around = lease::neighbours(&client, identity, instance).await.map_err(HandleError::retry)?;
        let share = renewed.total.div_ceil(around.others + 1);
        self.held = renewed.mine;
        while self.held.len() > share
            && let Some(surplus) = self.held.pop()
        {
            lease::release(&client, identity, instance, &surplus).await.map_err(HandleError::retry)?;
        }
        if renewed.free > 0 && self.held.len() < share {
            let wanted = share - self.held.len();
            let taken = lease::acquire(&client, identity, instance, wanted).await.map_err(HandleError::retry)?;
            self.held.extend(taken);
        }
        self.held.sort_by(|a, b| (&a.log, a.partition).cmp(&(&b.log, b.partition)));
        if around.parked < MOST_PARKED_STREAMS {
            self.go_on(&client).await?;
        }
        self.forget_waits();
        self.load_parked(&client, around.parked).await?;
        drop(client);
        self.check_catch_up().await?;
        let searching = self.held.len() < share || self.catch_up.is_some() || self.logs.iter().any(|log| !log.begun);
        self.next_renewal = Instant::now() + if searching { SEARCH } else { RENEWAL };
        if around.retries > 0 {
            self.retry_parked().await?;
        }
        Ok(())
    }

    /// Makes the checkpoints of logs that the reader was never at.
    async fn begin_logs(&mut self, client: &Client) -> Result<(), RoundError> {
        let identity = self.lane.identity;
        for log in self.logs.iter_mut().filter(|log| !log.begun) {
            let (Some(feed), Some(heads)) = (log.subscription.get(), log.heads.borrow().clone()) else { continue };
            let name = log.subscription.name();
            if !lease::is_known(client, identity, name).await.map_err(HandleError::retry)? {
                let mut starts = vec![(0, None); heads.positions.len()];
                if self.work.start_from() == StartFrom::Head {
                    for (partition, (start, head)) in (0..).zip(starts.iter_mut().zip(&heads.positions)) {
                        let last = feed.read(partition, head - 1, 1).await.map_err(HandleError::retry)?.events;
                        *start = (*head, last.first().map(|event| event.event_id.as_uuid()));
                    }
                }
                lease::create(client, identity, name, heads.epoch, &starts).await.map_err(HandleError::retry)?;
            }
            log.begun = true;
        }
        if self.catch_up.is_none() && !self.handle.caught_up() && self.logs.iter().all(|log| log.begun) {
            self.catch_up = Some(self.logs.iter().flat_map(targets_of).collect());
        }
        Ok(())
    }

    async fn check_catch_up(&mut self) -> Result<(), RoundError> {
        let Some(targets) = &self.catch_up else { return Ok(()) };
        if lease::reached(&self.lane.pool, self.lane.identity, targets).await.map_err(HandleError::retry)? {
            self.catch_up = None;
            self.handle.update(|status| status.caught_up = true);
            tracing::info!(reader = self.name(), "the reader has caught up");
        }
        Ok(())
    }

    async fn load_parked(&mut self, client: &Client, parked: i64) -> Result<(), RoundError> {
        self.handle.update(|status| status.parked = parked);
        self.parked.clear();
        if parked > 0 {
            for log in &self.logs {
                let name = log.subscription.name();
                let partitions: Vec<i32> =
                    self.held.iter().filter(|held| held.log == *name).map(|held| held.partition).collect();
                self.parked.extend(retry::load(client, self.lane.identity, name, &partitions).await?);
            }
        }
        Ok(())
    }

    async fn retry_parked(&mut self) -> Result<(), RoundError> {
        for index in 0..self.logs.len() {
            let log = &self.logs[index].subscription;
            let Some(feed) = log.get() else { continue };
            let held: Vec<Held> = self.held.iter().filter(|held| held.log == *log.name()).cloned().collect();
            while !self.lane.stop.is_cancelled()
                && let Some((stream, events)) = retry::next(&self.lane, &feed, &held).await?
            {
                match self.keep_leases_during(self.work.again(&self.lane, &stream, events)).await {
                    Ok(Again::Released) => {
                        tracing::info!(reader = self.name(), stream.id = stream.stream_id, "a parked stream goes on");
                        self.parked.remove(&(Arc::clone(&stream.held.log), stream.stream_id));
                        self.handle.update(|status| status.parked -= 1);
                        self.handle.ring();
                    }
                    Ok(Again::More | Again::Refused) => {}
                    Err(RoundError::Lost) => {
                        self.next_renewal = Instant::now();
                        return Ok(());
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Lets partitions go on that stood still because too many streams were parked.
    async fn go_on(&mut self, client: &Client) -> Result<(), RoundError> {
        let reason = RoundError::TooManyParked.to_string();
        for held in self.held.iter_mut().filter(|held| held.stopped.as_deref() == Some(reason.as_str())) {
            lease::note_stop(client, self.lane.identity, held, None).await.map_err(HandleError::retry)?;
            held.stopped = None;
        }
        Ok(())
    }

    /// Renews the leases while something takes its time.
    pub(super) async fn keep_leases_during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            let renewal = tokio::time::sleep(RENEWAL);
            tokio::select! {
                done = &mut work => return done,
                () = renewal => {}
            }
            // Both go on side by side, and none is dropped half-way: a statement of ours may be under way.
            let mut renewal = pin!(self.renew());
            let mut done = None;
            loop {
                tokio::select! {
                    result = &mut work, if done.is_none() => done = Some(result),
                    () = &mut renewal => break,
                }
            }
            if let Some(done) = done {
                return done;
            }
        }
    }

    async fn renew(&self) {
        let (Ok(client), Some(instance)) = (self.client().await, self.instance) else { return };
        if let Err(error) = lease::renew(&client, self.lane.identity, instance).await {
            tracing::debug!(reader = self.name(), error = chain(&error), "leases were not renewed");
        }
    }

    pub(super) async fn leave(&self) {
        let (Ok(client), Some(instance)) = (self.client().await, self.instance) else { return };
        if let Err(error) = lease::leave(&client, self.lane.identity, instance).await {
            tracing::warn!(reader = self.name(), error = chain(&error), "the reader's partitions were not released");
        }
    }
}

fn targets_of(log: &Followed) -> Vec<Target> {
    let name = log.subscription.name();
    let heads = log.heads.borrow();
    let positions = heads.iter().flat_map(|heads| &heads.positions);
    (0..)
        .zip(positions)
        .filter(|(_, position)| **position > 0)
        .map(|(partition, position)| Target { log: name.to_string(), partition, position: *position })
        .collect()
}
