//! How what became of orders is told to others: the outbox, the webhooks and their routes, put together.

use crate::{
    LOG,
    config::TellingConfig,
    http::{
        carriers::{self, Carriers},
        webhooks::{self, Webhooks},
    },
    mails::Mailing,
    notifications::TellOthers,
    orders::Orders,
    tracking::{ShipmentOrders, Tracking},
    webhooks::{Bell, Deliveries, Delivering, Endpoints, Patience, SEALED, Sender},
};
use feeds::Reader;
use mail::Mailer;
use pg::Pool;
use service::{Deps, ReadyCheck, StartError, Worker, sealing::Sealer};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use web::Routes;

/// Two days and more, as the waits grow.
const MAIL_ATTEMPTS: i32 = 12;
const PURGE_EVERY: Duration = Duration::from_secs(60 * 60);

/// What this part of the service answers and does.
pub struct Telling {
    /// Its routes.
    pub routes: Routes<()>,
    /// What it does besides.
    pub workers: Vec<Worker>,
    /// What it would rather not do without.
    pub checks: Vec<ReadyCheck>,
}

/// Puts it together.
///
/// # Errors
/// [`StartError`] when secrets cannot be opened or TLS cannot be set up.
pub async fn build(config: TellingConfig, deps: &Deps, orders: &Orders, pool: &Pool) -> Result<Telling, StartError> {
    let sealer = Sealer::open(pool, config.key_encryption_key, SEALED).await;
    let sealer = sealer.map_err(|error| StartError::step("opening the secrets of webhooks", error))?;
    let sender = Sender::new(config.addresses).map_err(|error| StartError::step("setting up webhooks", error))?;
    let endpoints = Endpoints::new(pool.clone(), Arc::new(sealer));
    let (deliveries, bell) = (Deliveries::new(pool.clone()), Bell::default());

    let mailing = match config.mail {
        Some(mail) => {
            let mailer = Mailer::new(mail.url.expose(), &mail.from);
            let mailer = mailer.map_err(|error| StartError::from(mail.wrong(error)))?;
            let patience =
                Patience { attempts: MAIL_ATTEMPTS, first_wait: mail.first_wait, disable_after: Duration::MAX };
            let (orders, pool, bell) = (orders.clone(), pool.clone(), Bell::default());
            Some(Mailing { orders, pool, mailer, shop: mail.shop, patience, bell })
        }
        None => None,
    };
    let tell = TellOthers {
        orders: orders.clone(),
        pool: pool.clone(),
        webhooks: bell.clone(),
        mails: mailing.as_ref().map(|mailing| mailing.bell.clone()),
    };
    let tell = Reader::reaction(tell, pool.clone(), vec![deps.feeds.subscribe(LOG)]);
    let shipments = Reader::projector(ShipmentOrders, pool.clone(), vec![deps.feeds.subscribe(LOG)]);
    let checks = vec![
        ReadyCheck::reaction("command.notifications", tell.handle()),
        ReadyCheck::reaction("command.shipment-orders", shipments.handle()),
    ];
    let delivering = Delivering {
        pool: pool.clone(),
        endpoints: endpoints.clone(),
        sender,
        patience: config.patience,
        bell: bell.clone(),
    };
    let old = deliveries.clone();
    let mut workers = vec![
        Worker::reader("notifications", tell),
        Worker::reader("shipment orders", shipments),
        Worker::once("webhooks", |stop| delivering.run(stop)),
        Worker::once("old notifications", |stop| purge(old, stop)),
    ];
    workers.extend(mailing.map(|mailing| Worker::once("mails", |stop| mailing.run(stop))));
    let routes = webhooks::routes(Webhooks { endpoints, deliveries, allowed: config.addresses, bell });
    let tracking = Tracking { orders: orders.clone(), pool: pool.clone() };
    let carriers = carriers::routes(Carriers { tracking, secrets: Arc::new(config.carriers) });
    Ok(Telling { routes: routes.merge(carriers), workers, checks })
}

async fn purge(deliveries: Deliveries, stop: CancellationToken) {
    loop {
        if let Err(error) = deliveries.purge().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "old notifications could not be deleted yet");
        }
        if stop.run_until_cancelled(tokio::time::sleep(PURGE_EVERY)).await.is_none() {
            return;
        }
    }
}
