//! A database whose connections break.

use crate::fixture::{Noting, command, fixture};
use test_support::eventually;

const KILL: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test]
async fn readers_go_on_by_themselves_after_all_connections_were_killed() {
    let world = fixture().await;
    let running = world.start(Noting::new("one"));
    let killer = world.database.connect().await.unwrap();
    let mut streams = 0;
    for _ in 0..8 {
        for _ in 0..20 {
            streams += 1;
            // What is not known to be appended may be appended twice: any event counts that is in the log.
            let _ = world.log.append(command(&format!("stream-{}", streams % 9), 1)).await;
        }
        killer.query_one(KILL, &[]).await.unwrap();
    }
    eventually(|| async { world.log.append(command("the-last", 1)).await.is_ok() }).await;

    let pool = world.database.pool("public", None).await.unwrap();
    let count = async |statement: &str| -> i64 {
        eventually(|| async { pool.get().await.is_ok() }).await;
        pool.get().await.unwrap().query_one(statement, &[]).await.unwrap().get(0)
    };
    let (noted, appended) = ("SELECT count(*) FROM noted", "SELECT count(*) FROM events");
    eventually(|| async { count(noted).await >= count(appended).await }).await;
    world.assert_noted_once_and_in_order().await;
    eventually(|| async { running.handle.status().failing.is_none() && running.handle.caught_up() }).await;
}
