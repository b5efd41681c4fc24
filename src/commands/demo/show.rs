//! The demonstration that waits for the user: what runs, what to try, and each new token as it comes.

use std::io;

use jiff::Timestamp;

use super::screen::Screen;
use super::{Demo, Exit};
use crate::embedded::people::{PROJECTS, USERS};
use crate::identity::Phase;
use crate::shutdown::{self, Stop};

/// Shows it until a signal comes, or until the proxy ends.
pub(super) async fn show(demo: &Demo, screen: Screen) -> io::Result<Exit> {
    let url = demo.url();
    let services = demo.snapshot().map_or(0, |snapshot| snapshot.routes.service_count());
    screen.heading("An OpenStack cloud of its own, and Gatestone in front of it")?;
    screen.line(format_args!(
        "  cloud  {}: {services} services in four regions, all in memory",
        demo.cloud.auth_url()
    ))?;
    screen.line(format_args!(
        "  proxy  {url}: logged in as {}, project {}; tokens live {} s",
        USERS[0].name,
        PROJECTS[0].name,
        demo.token_lifetime.as_secs_f64()
    ))?;
    screen.line("\nTry, from another terminal, without any credentials:")?;
    for line in suggestions(&url) {
        screen.command(line)?;
    }
    screen.line("\nCtrl-C ends it, and all that was uploaded with it. Tokens, as they come:")?;
    let mut told = demo.told.clone();
    tokio::select! {
        never = tokens(demo, &screen) => never,
        () = shutdown::told(&mut told, Stop::Drain) => Ok(Exit::Success),
    }
}

/// Lines that work as they stand.
fn suggestions(url: &str) -> [String; 7] {
    [
        format!("curl -I {url}/object-store/photos/tram.svg"),
        format!("curl -T README.md {url}/object-store/photos/readme.md"),
        format!("curl '{url}/object-store/photos?format=json'"),
        format!("curl {url}/object-store@RegionTwo/archive/2019/report.txt"),
        format!("curl '{url}/compute/servers?limit=2'"),
        format!("curl {url}/image/v2/images"),
        format!("curl {url}/-/status"),
    ]
}

/// A line for each new token, and for whatever is in its way.
async fn tokens(demo: &Demo, screen: &Screen) -> io::Result<Exit> {
    let mut state = demo.cell.watch();
    let mut last = 0;
    loop {
        let phase = state.borrow_and_update().phase.clone();
        let generation = demo.snapshot().map_or(0, |snapshot| snapshot.generation);
        let now = Timestamp::now().strftime("%H:%M:%S");
        match phase {
            Phase::Fresh if generation > last => {
                last = generation;
                let life = demo.token_lifetime.as_secs_f64();
                screen.line(format_args!("  {now} UTC  token {generation}, good for {life} s"))?;
            }
            Phase::Failing(error) | Phase::Refused(error) => {
                screen.failed(format_args!("{now} UTC  {error}"))?;
            }
            Phase::Fresh | Phase::Starting | Phase::SpentToken => {}
        }
        if state.changed().await.is_err() {
            return Ok(Exit::Failure);
        }
    }
}
