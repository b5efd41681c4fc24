//! The tour: walks through what the proxy does, each step with the line of curl that a person would
//! type and what came back. It ends well only if every step held.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

mod steps;

use self::steps::{STEPS, Step, StepError};
use super::curl::{Answer, Curl};
use super::screen::Screen;
use super::{Demo, Exit};
use crate::identity::Snapshot;
use crate::shutdown::{self, Stop};

/// Walks every step; stops early when told to.
pub(super) async fn walk(demo: &Demo, screen: Screen) -> io::Result<Exit> {
    let tour = Tour { demo, screen };
    let mut told = demo.told.clone();
    tokio::select! {
        outcome = tour.walk() => outcome,
        () = shutdown::told(&mut told, Stop::Drain) => {
            tour.screen.line("\nstopped before the end")?;
            Ok(Exit::Failure)
        }
    }
}

/// What the steps use.
struct Tour<'a> {
    demo: &'a Demo,
    screen: Screen,
}

impl Tour<'_> {
    async fn walk(&self) -> io::Result<Exit> {
        let began = Instant::now();
        self.screen.heading("Gatestone in front of an OpenStack cloud of its own")?;
        self.screen.line(format_args!(
            "The cloud lives in this process; {} forwards to it. No request below carries a credential.",
            self.demo.url()
        ))?;
        let mut held = 0;
        for (n, Step { title, run }) in STEPS.iter().enumerate() {
            self.screen.heading(format_args!("\n{}. {title}", n + 1))?;
            match run(self).await {
                Ok(what) => {
                    self.screen.held(what)?;
                    held += 1;
                }
                Err(StepError::Output(error)) => return Err(error),
                Err(error) => self.screen.failed(error)?,
            }
        }
        let all = STEPS.len();
        self.screen.heading(format_args!(
            "\n{held} of {all} steps held, in {:.1} s",
            began.elapsed().as_secs_f64()
        ))?;
        if held < all {
            return Ok(Exit::Failure);
        }
        self.screen.line(
            "`gatestone demo` keeps it running for you to try; the README tells how to use your own cloud.",
        )?;
        Ok(Exit::Success)
    }

    /// Shows the line, sends it, and shows the status and these fields of what came back.
    async fn ask(&self, curl: Curl, fields: &[&str]) -> Result<Answer, StepError> {
        self.screen.command(&curl)?;
        let answer = curl.send().await?;
        self.screen.output(format_args!("HTTP {}", answer.status))?;
        for name in fields {
            if !answer.field(name).is_empty() {
                self.screen.output(format_args!("{name}: {}", answer.field(name)))?;
            }
        }
        Ok(answer)
    }

    /// Shows some text that came back, shortened.
    fn show(&self, text: &str) -> Result<(), StepError> {
        for line in text.lines().take(MOST_LINES) {
            let short: String = line.chars().take(LONGEST_LINE).collect();
            let rest = if short.len() < line.len() { "..." } else { "" };
            self.screen.output(format_args!("{short}{rest}"))?;
        }
        if text.lines().nth(MOST_LINES).is_some() {
            self.screen.output("...")?;
        }
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.demo.url())
    }

    fn snapshot(&self) -> Result<Arc<Snapshot>, StepError> {
        self.demo.snapshot().ok_or(StepError::NoToken)
    }

    /// Waits for a token after the one of `generation`.
    async fn newer(&self, generation: u64) -> Result<Arc<Snapshot>, StepError> {
        let life = self.demo.token_lifetime;
        let mut state = self.demo.cell.watch();
        let deadline = Instant::now() + life;
        loop {
            let snapshot = self.snapshot()?;
            if snapshot.generation > generation {
                self.screen.progress_ended()?;
                return Ok(snapshot);
            }
            if Instant::now() > deadline {
                self.screen.progress_ended()?;
                return Err(StepError::NotRefreshed(life));
            }
            let age = snapshot.life.start.monotonic.elapsed();
            self.screen.progress("age of the token", age, life)?;
            let _ = tokio::time::timeout(REDRAW, state.changed()).await;
        }
    }
}

/// Lines of a body that are shown.
const MOST_LINES: usize = 8;

/// Characters of a line that are shown.
const LONGEST_LINE: usize = 110;

/// How often the progress is drawn.
const REDRAW: Duration = Duration::from_millis(200);
