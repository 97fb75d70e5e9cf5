//! The bell of other processes.

use crate::fixture::fixture;
use feeds::feed::listen;
use pg::Database;
use test_support::eventually;

#[tokio::test]
async fn commits_of_another_process_wake_those_who_listen() {
    let world = fixture().await;
    let (_pool, other, _registry) = world.another_process().await;
    let mut bell = other.subscribe();
    let database = Database::new(world.database.url(), 1).unwrap();
    world.spawner.spawn(listen(other.clone(), database, world.spawner.stop().clone()));
    bell.changed().await.unwrap();
    bell.mark_unchanged();

    world.append("a-stream", 1).await;
    bell.changed().await.unwrap();
    eventually(|| async { other.heads().await.unwrap().positions.iter().sum::<i64>() == 1 }).await;
}
