//! What the demonstration writes: with colours and a progress line on a terminal, plain in a pipe.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};

/// Standard output, for people.
#[derive(Debug)]
pub(super) struct Screen {
    is_terminal: bool,
}

impl Screen {
    pub(super) fn of_process() -> Self {
        Self { is_terminal: io::stdout().is_terminal() }
    }

    /// A line as it is.
    pub(super) fn line(&self, text: impl Display) -> io::Result<()> {
        self.styled(Style::new(), text)
    }

    /// What comes now.
    pub(super) fn heading(&self, text: impl Display) -> io::Result<()> {
        self.styled(Style::new().bold(), text)
    }

    /// A command that a person would type.
    pub(super) fn command(&self, text: impl Display) -> io::Result<()> {
        self.styled(AnsiColor::Cyan.on_default(), format_args!("  $ {text}"))
    }

    /// What came back.
    pub(super) fn output(&self, text: impl Display) -> io::Result<()> {
        self.styled(Style::new().dimmed(), format_args!("    {text}"))
    }

    /// What was to be seen, and is.
    pub(super) fn held(&self, text: impl Display) -> io::Result<()> {
        self.styled(AnsiColor::Green.on_default(), format_args!("  ok: {text}"))
    }

    /// What was to be seen, and is not.
    pub(super) fn failed(&self, text: impl Display) -> io::Result<()> {
        self.styled(AnsiColor::Red.on_default().bold(), format_args!("  FAILED: {text}"))
    }

    /// How far a wait has come; only a terminal shows it.
    pub(super) fn progress(&self, what: &str, passed: Duration, whole: Duration) -> io::Result<()> {
        if !self.is_terminal {
            return Ok(());
        }
        let part = (passed.as_secs_f64() / whole.as_secs_f64()).clamp(0.0, 1.0);
        let bar = "#".repeat((part * f64::from(BAR)) as usize);
        let mut out = anstream::stdout().lock();
        unless_gone(write!(
            out,
            "\r    {what} [{bar:.<20}] {:.0} s of {:.0} s ",
            passed.as_secs_f64(),
            whole.as_secs_f64()
        ))?;
        unless_gone(out.flush())
    }

    /// Takes the progress away.
    pub(super) fn progress_ended(&self) -> io::Result<()> {
        if !self.is_terminal {
            return Ok(());
        }
        unless_gone(write!(anstream::stdout().lock(), "\r\x1b[2K"))
    }

    fn styled(&self, style: Style, text: impl Display) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        unless_gone(writeln!(out, "{style}{text}{style:#}"))?;
        unless_gone(out.flush())
    }
}

/// A reader that has gone away is no error.
fn unless_gone(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Characters of the progress.
const BAR: u8 = 20;
