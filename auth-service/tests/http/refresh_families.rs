//! A family of refresh tokens under any order of events, told beforehand by a model: one successor for every token
//! whoever asks at the same time, the same one again for its predecessor within ten seconds, and the end of the family for
//! anything older.

use crate::harness::{Answer, Harness};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use std::collections::BTreeSet;

/// What happens to a family.
#[derive(Debug, Clone)]
enum Step {
    /// So many callers present a token at the same time: 0 is the newest, 1 the one before it.
    Present { back: usize, callers: usize },
    /// Some present the newest and some the one before it, all at the same time.
    Together { newest: usize, predecessor: usize },
    /// The ten seconds are over.
    Wait,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1_usize..=4).prop_map(|callers| Step::Present { back: 0, callers }),
        3 => (0_usize..=3, 1_usize..=3).prop_map(|(back, callers)| Step::Present { back, callers }),
        2 => (1_usize..=3, 1_usize..=3).prop_map(|(newest, predecessor)| Step::Together { newest, predecessor }),
        1 => Just(Step::Wait),
    ];
    proptest::collection::vec(step, 1..8)
}

/// The family as it has to be.
struct Family<'a> {
    service: &'a Harness,
    access_token: String,
    /// From the first to the newest.
    tokens: Vec<String>,
    /// Whether the newest token's predecessor was used within ten seconds.
    fresh: bool,
    dead: bool,
}

impl Family<'_> {
    async fn present(&self, token: &str) -> Answer {
        self.service.post("/auth/refresh", &json!({"token": token})).await
    }

    /// What callers were given who asked at the same time, and whether anybody was refused.
    async fn ask(&self, tokens: &[&str]) -> Vec<Option<String>> {
        let answers = join_all(tokens.iter().map(|token| self.present(token))).await;
        let read = |answer: &Answer| match answer.status.as_u16() {
            200 => Some(answer.text("refreshToken")),
            _ => {
                assert_eq!(answer.error(), (401, "INVALID_TOKEN"));
                None
            }
        };
        answers.iter().map(read).collect()
    }

    fn newest(&self) -> String {
        self.tokens.last().cloned().unwrap()
    }

    async fn take(&mut self, step: &Step) {
        match *step {
            Step::Wait => {
                let update =
                    "UPDATE refresh_tokens SET used_at = used_at - interval '1 minute' WHERE used_at IS NOT NULL";
                self.service.pool.get().await.unwrap().execute(update, &[]).await.unwrap();
                self.fresh = false;
            }
            Step::Present { back, callers } => {
                let Some(index) = (self.tokens.len() - 1).checked_sub(back) else { return };
                let token = self.tokens[index].clone();
                let given: BTreeSet<Option<String>> =
                    self.ask(&vec![token.as_str(); callers]).await.into_iter().collect();
                let [given] = Vec::from_iter(given).try_into().expect("all of them get the same answer");
                match back {
                    _ if self.dead => assert_eq!(given, None, "a family that has ended gives nothing"),
                    0 => self.succeed(given.expect("the newest token has a successor")),
                    1 if self.fresh => assert_eq!(given, Some(self.newest()), "the predecessor gets the same again"),
                    _ => self.end(given.as_deref()),
                }
            }
            Step::Together { newest, predecessor } => {
                let [.., before, last] = &self.tokens[..] else { return };
                let (before, last) = (before.clone(), last.clone());
                let all = [vec![last.as_str(); newest], vec![before.as_str(); predecessor]].concat();
                let mut given = self.ask(&all).await;
                let of_predecessor = given.split_off(newest);
                let successors: BTreeSet<String> = given.iter().flatten().cloned().collect();
                assert!(successors.len() <= 1, "two successors of one token");
                assert!(
                    of_predecessor.iter().flatten().all(|token| *token == last),
                    "another successor of the predecessor"
                );
                if self.dead {
                    assert!(successors.is_empty() && of_predecessor.iter().all(Option::is_none));
                    return;
                }
                assert!(self.fresh || of_predecessor.iter().all(Option::is_none), "the ten seconds were over");
                assert!(!self.fresh || !successors.is_empty(), "the newest token was good when they asked");
                if let Some(successor) = successors.into_iter().next() {
                    self.succeed(successor);
                }
                // Whoever came with the predecessor after its successor was used ended the family.
                self.dead = of_predecessor.iter().any(Option::is_none);
            }
        }
    }

    fn succeed(&mut self, successor: String) {
        assert!(!self.tokens.contains(&successor));
        self.tokens.push(successor);
        self.fresh = true;
    }

    fn end(&mut self, given: Option<&str>) {
        assert_eq!(given, None, "a token that was used long ago gives nothing");
        self.dead = true;
    }

    async fn agrees_with_the_tables(&self) {
        let row = self
            .service
            .pool
            .get()
            .await
            .unwrap()
            .query_one(
                "SELECT count(*), count(*) FILTER (WHERE used_at IS NULL) FROM refresh_tokens
                 WHERE session_id = (SELECT session_id FROM refresh_tokens WHERE hash = sha256($1))",
                &[&self.tokens[0].as_bytes()],
            )
            .await
            .unwrap();
        let length = i64::try_from(self.tokens.len()).unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (length, 1), "one line of tokens, one of them unused");
    }

    async fn is_as_told(&self) {
        let status = self.service.get_as(&self.access_token, "/oauth/userinfo").await.status;
        assert_eq!(status, if self.dead { 401 } else { 200 }, "the access token lives as long as the family");
        if self.dead {
            for token in &self.tokens {
                assert_eq!(self.present(token).await.error(), (401, "INVALID_TOKEN"), "nothing of it is left");
            }
        }
    }
}

async fn run(service: &Harness, case: usize, steps: &[Step]) {
    let login = service.register(&format!("ada{case}@example.com")).await;
    let access_token = login.text("token");
    let mut family =
        Family { service, access_token, tokens: vec![login.text("refreshToken")], fresh: false, dead: false };
    for step in steps {
        family.take(step).await;
        family.agrees_with_the_tables().await;
    }
    family.is_as_told().await;
}

#[test]
fn a_family_has_one_line_of_successors_and_ends_when_an_old_token_turns_up() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let service = runtime.block_on(Harness::new());
    let case = std::cell::Cell::new(0_usize);
    let config = Config { cases: 48, failure_persistence: None, max_shrink_iters: 64, ..Config::default() };
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        case.set(case.get() + 1);
        runtime.block_on(run(&service, case.get(), &steps));
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    runtime.block_on(async move { drop(service) });
}
