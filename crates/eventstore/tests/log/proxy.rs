//! A connection to Postgres that breaks when told to.

use eventstore::Spawner;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
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
    /// Connections stay open and nothing arrives.
    BlackHole,
    /// Connections are closed at once.
    Refuse,
}

/// Stands between a log and its server.
pub struct Proxy {
    pub url: String,
    mode: Arc<Mutex<Mode>>,
    stop: CancellationToken,
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
        let (mode, stop) = (Arc::new(Mutex::new(Mode::Forward)), CancellationToken::new());
        let spawner = Spawner::new(TaskTracker::new(), stop.clone());
        spawner.spawn(accept(listener, server, Arc::clone(&mode), spawner.clone()));
        Self { url: format!("{before}@127.0.0.1:{port}/{database}"), mode, stop }
    }

    pub fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    pub fn mode(&self) -> Mode {
        *self.mode.lock().unwrap()
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, mode: Arc<Mutex<Mode>>, spawner: Spawner) {
    while let Some(Ok((client, _))) = spawner.stop().run_until_cancelled(listener.accept()).await {
        if *mode.lock().unwrap() != Mode::Refuse {
            let (mode, stop) = (Arc::clone(&mode), spawner.stop().clone());
            spawner.spawn(async move {
                stop.run_until_cancelled(forward(client, server, mode)).await;
            });
        }
    }
}

async fn forward(mut client: TcpStream, server: SocketAddr, mode: Arc<Mutex<Mode>>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(5));
    loop {
        let (from_client, length) = tokio::select! {
            Ok(length) = client.read(&mut asked) => (true, length),
            Ok(length) = server.read(&mut answered) => (false, length),
            _ = tick.tick() => {
                if *mode.lock().unwrap() == Mode::Refuse {
                    return;
                }
                continue;
            }
            else => return,
        };
        if length == 0 {
            return;
        }
        let now = {
            let mut mode = mode.lock().unwrap();
            let now = *mode;
            if (now == Mode::LoseRequest && from_client) || (now == Mode::LoseReply && !from_client) {
                *mode = Mode::Forward;
                return;
            }
            now
        };
        match (now, from_client) {
            (Mode::Refuse, _) => return,
            (Mode::BlackHole, _) => {}
            (_, true) => drop(server.write_all(&asked[..length]).await),
            (_, false) => drop(client.write_all(&answered[..length]).await),
        }
    }
}
