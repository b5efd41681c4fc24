//! Quiet months: how often we log in, whatever a token's life.

use std::time::Duration;

use super::fake::{Mode, World};

const DAY: Duration = Duration::from_secs(86_400);

/// Logins in 30 quiet days, and how many 2/3 of the lifetime make of them.
async fn quiet(lifetime: u64) -> (f64, f64) {
    let world = World::new(Duration::from_secs(lifetime));
    let (_cell, refresher) = world.refresh();
    tokio::time::sleep(30 * DAY).await;
    refresher.abort();
    let attempts = world.attempts();
    assert!(attempts.iter().all(|attempt| attempt.succeeded && attempt.healings == 0));
    // The first is the start, not a refresh.
    let expected = 30.0 * DAY.as_secs_f64() / (lifetime as f64 * 2.0 / 3.0);
    ((attempts.len() - 1) as f64, expected)
}

#[tokio::test(start_paused = true)]
async fn logins_in_30_quiet_days_are_as_many_as_two_thirds_of_a_life_make() {
    for lifetime in [10, 300, 3_600, 86_400] {
        let (logins, expected) = quiet(lifetime).await;
        // A login is whole, so that one may fall just within the month or just beyond it.
        let tolerance = (expected * 0.01).max(1.0);
        assert!((logins - expected).abs() <= tolerance, "{lifetime} s: {logins} logins, expected {expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_catalog_of_a_long_token_is_fetched_hourly() {
    let world = World::new(30 * DAY);
    let (_cell, _refresher) = world.refresh();
    tokio::time::sleep(DAY + Duration::from_secs(60)).await;
    assert_eq!(world.attempts().len(), 1);
    let catalogs = world.catalogs();
    assert!((23..=24).contains(&catalogs), "{catalogs} in a day");
}

#[tokio::test(start_paused = true)]
async fn a_catalog_that_comes_empty_keeps_the_routes_and_is_told() {
    let world = World::new(30 * DAY);
    let (cell, _refresher) = world.refresh();
    let routes = || cell.current().unwrap().routes.service_count();
    tokio::time::sleep(DAY).await;
    let before = routes();
    world.set(Mode::EmptyCatalog);
    tokio::time::sleep(DAY).await;
    assert_eq!(routes(), before);
    let now = cell.clock().now();
    assert!(cell.current().unwrap().notices(now)[0].to_string().contains("empty catalog"));
    // With a login it is the same, and it passes.
    world.sleep(40 * DAY);
    tokio::time::sleep(DAY).await;
    assert_eq!(routes(), before);
    world.set(Mode::Works);
    tokio::time::sleep(DAY).await;
    assert_eq!(cell.current().unwrap().notices(cell.clock().now()), []);
}

#[tokio::test(start_paused = true)]
async fn a_day_of_outage_is_survived_and_keystone_is_not_flooded() {
    let world = World::new(Duration::from_secs(3_600));
    let (cell, _refresher) = world.refresh();
    tokio::time::sleep(DAY).await;
    for mode in [
        Mode::Down,
        Mode::Hangs,
        Mode::Fails(500),
        Mode::Fails(404),
        Mode::TooMany(None),
        Mode::TooMany(Some(Duration::from_secs(120))),
        Mode::Garbage,
        Mode::AlreadyExpired,
        Mode::Slow(Duration::from_secs(59)),
    ] {
        let before = world.attempts().len();
        world.set(mode);
        tokio::time::sleep(DAY).await;
        let attempts = world.attempts().len() - before;
        assert!(attempts <= 86_400 / 11, "{mode:?}: {attempts} logins in a day");
        world.set(Mode::Works);
        tokio::time::sleep(Duration::from_secs(180)).await;
        assert!(cell.valid().is_some(), "after {mode:?}");
    }
}
