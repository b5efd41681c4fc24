//! What becomes of complaints.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::fake::{Mode, World};
use crate::identity::credentials::Method;
use crate::identity::{Healed, NoToken, Refusal, SnapshotCell};
use crate::secret::Secret;

const WAIT: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3_600);

async fn started(lifetime: Duration) -> (World, Arc<SnapshotCell>) {
    let world = World::new(lifetime);
    let (cell, _refresher) = world.refresh();
    cell.ready(WAIT).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    (world, cell)
}

async fn complain(cell: &SnapshotCell) -> Healed {
    let generation = cell.current().unwrap().generation;
    cell.heal(generation, Refusal::Unauthorized, WAIT).await
}

#[tokio::test(start_paused = true)]
async fn a_thousand_complaints_are_one_login() {
    let (world, cell) = started(HOUR).await;
    world.revoke_all();
    let mut complaints = JoinSet::new();
    for _ in 0..1000 {
        let cell = Arc::clone(&cell);
        complaints.spawn(async move { cell.heal(1, Refusal::Unauthorized, WAIT).await });
    }
    for healed in complaints.join_all().await {
        assert!(matches!(healed, Healed::Renewed(ref newer) if world.takes(newer)), "{healed:?}");
    }
    assert_eq!(world.attempts().len(), 2);
    assert_eq!(world.checks().len(), 0);
    // One that comes late finds the new token there.
    let late = Instant::now();
    assert!(matches!(cell.heal(1, Refusal::Unauthorized, WAIT).await, Healed::Renewed(_)));
    assert_eq!((late.elapsed(), world.attempts().len()), (Duration::ZERO, 2));
}

#[tokio::test(start_paused = true)]
async fn who_hangs_up_takes_nothing_from_the_others() {
    let (world, cell) = started(HOUR).await;
    world.revoke_all();
    world.set(Mode::Slow(Duration::from_secs(3)));
    let first = tokio::spawn({
        let cell = Arc::clone(&cell);
        async move { complain(&cell).await }
    });
    sleep(Duration::from_secs(1)).await;
    let second = tokio::spawn({
        let cell = Arc::clone(&cell);
        async move { complain(&cell).await }
    });
    sleep(Duration::from_secs(1)).await;
    first.abort();
    assert!(matches!(second.await.unwrap(), Healed::Renewed(_)));
    assert_eq!(world.attempts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_always_refuses_costs_one_login_and_then_a_check_every_10_seconds() {
    let (world, cell) = started(HOUR).await;
    let Healed::Renewed(newer) = complain(&cell).await else { panic!() };
    cell.absolve(newer.generation);
    for _ in 0..600 {
        assert!(matches!(complain(&cell).await, Healed::TokenIsGood));
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(world.attempts().len(), 2);
    assert_eq!(world.checks().len(), 6);
    // And a revocation meanwhile heals with the next check.
    world.revoke_all();
    sleep(Duration::from_secs(10)).await;
    assert!(matches!(complain(&cell).await, Healed::Renewed(_)));
    assert_eq!(world.attempts().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_second_revocation_within_30_seconds_waits_its_turn_and_the_dead_token_is_not_sent() {
    let (world, cell) = started(HOUR).await;
    world.revoke_all();
    assert!(matches!(complain(&cell).await, Healed::Renewed(_)));
    world.revoke_all();
    let healed = complain(&cell).await;
    assert!(matches!(healed, Healed::NoToken(NoToken::Revoked)), "{healed:?}");
    assert!(cell.valid().is_none());
    assert_eq!(world.attempts().len(), 2);
    sleep(Duration::from_secs(15)).await;
    assert!(cell.ready(WAIT).await.is_ok());
    let attempts = world.attempts();
    assert_eq!((attempts[2].at - attempts[1].at).as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_403_only_asks() {
    let (world, cell) = started(HOUR).await;
    let forbidden = || cell.heal(cell.current().unwrap().generation, Refusal::Forbidden, WAIT);
    for _ in 0..100 {
        assert!(matches!(forbidden().await, Healed::TokenIsGood));
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((world.attempts().len(), world.checks().len()), (1, 1));
    world.revoke_all();
    sleep(Duration::from_secs(10)).await;
    assert!(matches!(forbidden().await, Healed::Renewed(_)));
    assert_eq!(world.attempts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn while_keystone_is_down_it_is_an_outage_and_never_the_services_refusal() {
    let (world, cell) = started(HOUR).await;
    world.revoke_all();
    world.set(Mode::Down);
    let healed = complain(&cell).await;
    assert!(matches!(healed, Healed::NoToken(NoToken::Unreachable(_))), "{healed:?}");
    let before = world.attempts().len();
    assert!(before <= 8, "{before} logins in 10 s");
    // It comes back while somebody waits.
    let waiting = tokio::spawn({
        let cell = Arc::clone(&cell);
        async move { cell.heal(1, Refusal::Unauthorized, Duration::from_secs(30)).await }
    });
    sleep(Duration::from_secs(1)).await;
    world.set(Mode::Works);
    assert!(matches!(waiting.await.unwrap(), Healed::Renewed(_)));
    // A check that is not answered is no verdict either.
    let generation = cell.current().unwrap().generation;
    cell.absolve(generation);
    world.set(Mode::Down);
    let healed = complain(&cell).await;
    assert!(matches!(healed, Healed::NoToken(NoToken::Unchecked(_))), "{healed:?}");
}

#[tokio::test(start_paused = true)]
async fn where_the_credentials_are_refused_the_old_token_is_asked_about() {
    let (world, cell) = started(HOUR).await;
    world.set(Mode::Refuses);
    // The token is good, and the refusal the service's own.
    assert!(matches!(complain(&cell).await, Healed::TokenIsGood));
    assert_eq!(world.attempts().len(), 2);
    sleep(Duration::from_secs(60)).await;
    world.revoke_all();
    let healed = complain(&cell).await;
    assert!(matches!(healed, Healed::NoToken(NoToken::Refused(_))), "{healed:?}");
    assert_eq!(world.attempts().len(), 2);
    assert!(cell.ready(WAIT).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_renewed_is_asked_about_and_then_spent() {
    let world = World::new(HOUR);
    let (cell, _refresher) = world.refresh_with(Method::Token(Secret::new("given")));
    cell.ready(WAIT).await.unwrap();
    assert!(matches!(complain(&cell).await, Healed::TokenIsGood));
    world.revoke_all();
    sleep(Duration::from_secs(10)).await;
    let healed = complain(&cell).await;
    assert!(matches!(healed, Healed::NoToken(NoToken::SpentToken)), "{healed:?}");
    assert!(matches!(cell.ready(WAIT).await, Err(NoToken::SpentToken)));
    assert_eq!(world.attempts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_after_of_keystone_holds_for_complaints_as_well() {
    let (world, cell) = started(HOUR).await;
    world.set(Mode::TooMany(Some(Duration::from_secs(120))));
    world.revoke_all();
    let healed = complain(&cell).await;
    assert!(matches!(healed, Healed::NoToken(NoToken::Unreachable(_))), "{healed:?}");
    for _ in 0..100 {
        let _ = complain(&cell).await;
    }
    let attempts = world.attempts();
    assert!(attempts.windows(2).skip(1).all(|pair| (pair[1].at - pair[0].at).as_secs() >= 120));
}
