//! Whatever happens to Keystone, the clocks and the token: a model that makes up histories.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::runtime;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::fake::{Attempt, Mode, World};
use crate::identity::{Healed, Refusal, SnapshotCell};

/// Something that happens.
#[derive(Clone, Debug)]
enum Event {
    Becomes(Mode),
    Lifetime(Duration),
    /// Every token is revoked.
    Revoke,
    /// The machine sleeps.
    Sleep(Duration),
    /// Somebody sets the wall clock, by seconds.
    Step(i64),
    /// Requests, so many, some of them to a service that refuses every token.
    Requests {
        count: usize,
        refused: usize,
    },
}

fn seconds(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_secs)
}

fn lifetime() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(10), Just(300), Just(3_600), Just(86_400), 1..100_000_u64].prop_map(Duration::from_secs)
}

fn mode(may_refuse: bool) -> impl Strategy<Value = Mode> {
    prop_oneof![
        6 => Just(Mode::Works),
        1 => Just(Mode::Down),
        1 => Just(Mode::Hangs),
        1 => seconds(1..59).prop_map(Mode::Slow),
        1 => prop_oneof![Just(500), Just(503), Just(404)].prop_map(Mode::Fails),
        1 => proptest::option::of(seconds(1..900)).prop_map(Mode::TooMany),
        1 => Just(Mode::Garbage),
        1 => Just(Mode::AlreadyExpired),
        1 => Just(Mode::EmptyCatalog),
        u32::from(may_refuse) => Just(Mode::Refuses),
    ]
}

/// A machine that sleeps, or one whose clock is set: while it sleeps, the wall clock is all there is.
fn clock(sleeps: bool) -> BoxedStrategy<Event> {
    if sleeps {
        seconds(1..200_000).prop_map(Event::Sleep).boxed()
    } else {
        (-100_000..100_000_i64).prop_map(Event::Step).boxed()
    }
}

fn event(may_refuse: bool, sleeps: bool) -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => mode(may_refuse).prop_map(Event::Becomes),
        1 => lifetime().prop_map(Event::Lifetime),
        2 => Just(Event::Revoke),
        1 => clock(sleeps),
        4 => (1..20_usize, 0..5_usize).prop_map(|(count, refused)| Event::Requests { count, refused }),
    ]
}

/// Events and the times between them.
fn history(may_refuse: bool) -> impl Strategy<Value = (Duration, Vec<(Duration, Event)>)> {
    let gap = prop_oneof![4 => seconds(0..40), 2 => seconds(40..4_000), 1 => seconds(4_000..40_000)];
    (lifetime(), any::<bool>(), Just(gap)).prop_flat_map(move |(lifetime, sleeps, gap)| {
        (Just(lifetime), vec((gap, event(may_refuse, sleeps)), 1..40))
    })
}

/// A request from its beginning to its end, with what must hold on the way.
async fn request(world: World, cell: std::sync::Arc<SnapshotCell>, is_refused: bool) -> bool {
    let had_one = cell.valid().is_some();
    let start = Instant::now();
    let ready = cell.ready(WAIT).await;
    assert!(!had_one || start.elapsed().is_zero(), "a request waited although there was a valid token");
    let Ok(snapshot) = ready else { return false };
    assert!(!world.has_expired(&snapshot), "an expired token was sent");
    if world.takes(&snapshot) && !is_refused {
        return true;
    }
    match cell.heal(snapshot.generation, Refusal::Unauthorized, WAIT).await {
        Healed::Renewed(newer) => {
            assert!(newer.generation > snapshot.generation);
            assert!(!world.has_expired(&newer), "an expired token was sent");
            if is_refused || !world.takes(&newer) {
                cell.absolve(newer.generation);
            }
            world.takes(&newer)
        }
        Healed::TokenIsGood | Healed::NoToken(_) => false,
    }
}

const WAIT: Duration = Duration::from_secs(10);

async fn live(lifetime: Duration, history: Vec<(Duration, Event)>) -> (World, bool) {
    let world = World::new(lifetime);
    let (cell, _refresher) = world.refresh();
    let mut requests = JoinSet::new();
    for (gap, event) in history {
        sleep(gap).await;
        match event {
            Event::Becomes(mode) => world.set(mode),
            Event::Lifetime(lifetime) => world.lifetime(lifetime),
            Event::Revoke => world.revoke_all(),
            Event::Sleep(time) => world.sleep(time),
            Event::Step(seconds) => world.step(seconds),
            Event::Requests { count, refused } => {
                for i in 0..count {
                    requests.spawn(request(world.clone(), cell.clone(), i < refused));
                }
            }
        }
    }
    // In the end all is well again.
    world.set(Mode::Works);
    world.lifetime(Duration::from_secs(3_600));
    sleep(Duration::from_secs(1_000)).await;
    let is_well = request(world.clone(), cell.clone(), false).await;
    requests.join_all().await;
    (world, is_well)
}

/// The most refusals in a row, and the shortest time between two logins for refused tokens.
fn summary(attempts: &[Attempt]) -> (usize, Option<Duration>) {
    let (mut in_a_row, mut most) = (0, 0);
    let mut healings: Vec<Instant> = Vec::new();
    for attempt in attempts {
        if attempt.was_refused {
            in_a_row += 1;
        } else if attempt.succeeded {
            in_a_row = 0;
        }
        most = most.max(in_a_row);
        if attempt.healings as usize > healings.len() {
            healings.push(attempt.at);
        }
    }
    (most, healings.windows(2).map(|pair| pair[1] - pair[0]).min())
}

fn run(lifetime: Duration, history: Vec<(Duration, Event)>) -> (World, bool) {
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(live(lifetime, history))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn whatever_happens_tokens_are_good_and_keystone_is_spared((lifetime, history) in history(false)) {
        let (world, is_well) = run(lifetime, history);
        let (_, between_healings) = summary(&world.attempts());
        prop_assert!(between_healings.is_none_or(|time| time >= Duration::from_secs(30)), "{between_healings:?}");
        let checks = world.checks();
        prop_assert!(checks.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(is_well, "requests fail although all is well");
    }

    #[test]
    fn wrong_credentials_never_reach_five_tries((lifetime, history) in history(true)) {
        let (world, _) = run(lifetime, history);
        let (refusals, between_healings) = summary(&world.attempts());
        prop_assert!(refusals < 5, "{refusals} refusals in a row");
        prop_assert!(between_healings.is_none_or(|time| time >= Duration::from_secs(30)), "{between_healings:?}");
    }
}
