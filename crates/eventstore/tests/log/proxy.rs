//! A connection to Postgres that breaks when told to.

use eventstore::Spawner;
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What happens to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Forward,
    /// The next thing that a client sends does not arrive; its connection closes. Then as before.
    LoseRequest,
    /// The next thing that a server sends does not arrive; the connection closes. Then as before.
    LoseReply,
    /// The next thing that a client sends arrives only when released, even if the client is gone by then.
    HoldRequest,
    /// Connections stay open and nothing arrives.
    BlackHole,
    /// Connections are closed at once.
    Refuse,
}

/// Stands between a log and its server.
pub struct Proxy {
    pub url: String,
    mode: Arc<watch::Sender<Mode>>,
    held: Arc<Held>,
    stop: CancellationToken,
}

/// A request on its way for long.
#[derive(Default)]
struct Held {
    release: Notify,
    answered: Notify,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Proxy {
    pub async fn start(url: &str) -> Self {
        let (before, rest) = url.rsplit_once('@').expect("the URL has a password");
        let (host, database) = rest.split_once('/').expect("the URL has a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server: SocketAddr = host.replace("localhost", "127.0.0.1").parse().expect("a TCP address");
        let (mode, stop) = (Arc::new(watch::Sender::new(Mode::Forward)), CancellationToken::new());
        let spawner = Spawner::new(TaskTracker::new(), stop.clone());
        let held = Arc::new(Held::default());
        spawner.spawn(accept(listener, server, Arc::clone(&mode), Arc::clone(&held), spawner.clone()));
        Self { url: format!("{before}@127.0.0.1:{port}/{database}"), mode, held, stop }
    }

    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Lets a held request arrive and waits until the server has answered it, to nobody.
    pub async fn release(&self) {
        self.held.release.notify_one();
        self.held.answered.notified().await;
    }

    pub fn mode(&self) -> Mode {
        *self.mode.borrow()
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
    held: Arc<Held>,
    spawner: Spawner,
) {
    while let Some(Ok((client, _))) = spawner.stop().run_until_cancelled(listener.accept()).await {
        if *mode.borrow() != Mode::Refuse {
            let (mode, held, stop) = (Arc::clone(&mode), Arc::clone(&held), spawner.stop().clone());
            spawner.spawn(async move {
                stop.run_until_cancelled(forward(client, server, mode, held)).await;
            });
        }
    }
}

async fn forward(mut client: TcpStream, server: SocketAddr, mode: Arc<watch::Sender<Mode>>, held: Arc<Held>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut changes = mode.subscribe();
    loop {
        let (from_client, length) = tokio::select! {
            Ok(length) = client.read(&mut asked) => (true, length),
            Ok(length) = server.read(&mut answered) => (false, length),
            Ok(refuse) = changes.wait_for(|mode| *mode == Mode::Refuse) => { drop(refuse); return }
            else => return,
        };
        if length == 0 {
            return;
        }
        let now = take_turn(&mode, from_client);
        match (now, from_client) {
            (Mode::LoseRequest, true) | (Mode::LoseReply, false) => return,
            (Mode::HoldRequest, true) => {
                held.release.notified().await;
                server.write_all(&asked[..length]).await.unwrap();
                assert!(server.read(&mut answered).await.unwrap() > 0);
                held.answered.notify_one();
                return;
            }
            (Mode::Refuse, _) => return,
            (Mode::BlackHole, _) => {}
            (_, true) => drop(server.write_all(&asked[..length]).await),
            (_, false) => drop(client.write_all(&answered[..length]).await),
        }
    }
}

/// What to do with something that arrived; what is to happen once goes back to forwarding.
fn take_turn(mode: &watch::Sender<Mode>, from_client: bool) -> Mode {
    let mut now = Mode::Forward;
    mode.send_if_modified(|mode| {
        now = *mode;
        let once = match now {
            Mode::LoseRequest | Mode::HoldRequest => from_client,
            Mode::LoseReply => !from_client,
            Mode::Forward | Mode::BlackHole | Mode::Refuse => false,
        };
        if once {
            *mode = Mode::Forward;
        }
        once
    });
    now
}
