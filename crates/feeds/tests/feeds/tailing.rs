//! Reading without a checkpoint.

use crate::fixture::{LOG, fixture};
use feeds::{Tail, TailError};

#[tokio::test]
async fn a_tail_gives_every_event_after_the_head_it_began_at() {
    let world = fixture().await;
    world.append_streams(5).await;
    let mut tail = Tail::from_head(world.registry.subscribe(LOG), 100).await.unwrap();
    assert!(tail.caught_up());
    world.append_streams(20).await;

    let mut events = Vec::new();
    while events.len() < 20 {
        events.extend(tail.next().await.unwrap().events);
    }
    assert_eq!(events.len(), 20);
    assert!(tail.caught_up());
}

#[tokio::test]
async fn a_tail_goes_on_from_stored_positions_and_refuses_those_of_another_history() {
    let world = fixture().await;
    world.append("a-stream", 7).await;
    let mut tail = Tail::from_positions(world.registry.subscribe(LOG), None, 3).await.unwrap();
    let first = tail.next().await.unwrap().events;
    assert_eq!(first.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2, 3]);
    let (epoch, positions) = tail.positions();
    let stored = (epoch, positions.to_vec());

    let mut again = Tail::from_positions(world.registry.subscribe(LOG), Some(stored.clone()), 100).await.unwrap();
    let rest = again.next().await.unwrap().events;
    assert_eq!(rest.iter().map(|event| event.version).collect::<Vec<_>>(), [4, 5, 6, 7]);

    let ahead = (stored.0, vec![99; stored.1.len()]);
    let refused = Tail::from_positions(world.registry.subscribe(LOG), Some(ahead), 100).await;
    assert!(matches!(refused, Err(TailError::OtherHistory { .. })));
}
