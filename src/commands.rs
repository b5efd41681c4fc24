//! What the subcommands do; one file each. They print, choose exit statuses, and
//! own no logic that another part could own.

use std::fmt;
use std::io::{self, Write};

mod ask;
pub mod check;
pub mod demo;
pub mod env;
pub mod exec;
pub mod health;
pub mod run;
pub mod words;

use crate::config::Config;
use crate::identity::AuthError;
use crate::identity::credentials::{Credentials, Method, Scope};

/// Statuses that the program ends with (design 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Success,
    /// It went wrong.
    Failure,
    /// Arguments or settings are wrong.
    Usage,
    /// Keystone refuses the credentials (`EX_NOPERM` of sysexits).
    Refused,
    /// What the command that `exec` ran ended with.
    Command(u8),
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failure => 1,
            Exit::Usage => 2,
            Exit::Refused => 77,
            Exit::Command(status) => status,
        })
    }
}

/// Writes to standard output. A reader that has gone away is no error.
pub fn print(text: impl fmt::Display) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Writes an error to standard error, for people.
pub fn complain(text: impl fmt::Display) {
    // Where not even this can be written, the exit status has to do.
    let _ = writeln!(io::stderr().lock(), "gatestone: {text}");
}

/// A refusal of the credentials, with both things it can mean: Keystone answers a
/// wrong password and a missing role with the same 401.
pub(crate) fn explain_refusal(error: &AuthError, config: &Config) -> String {
    let causes = match error {
        AuthError::MoreFactors { .. } => "the account has rules for multi-factor authentication".to_owned(),
        AuthError::ProviderRefused { .. } => "the identity provider did not vouch for us".to_owned(),
        _ => causes(&config.identity.credentials),
    };
    format!(
        "{error}\n  {causes}\n  the credentials come from {}\n  tried once, since repeated tries can lock an account; correct them and start again; `gatestone check` finds out more",
        config.sources.credentials
    )
}

fn causes(Credentials { method, scope, .. }: &Credentials) -> String {
    let no_role = |whose: &str| format!("{whose} has no role on {scope}");
    match (method, scope) {
        (Method::Password { .. }, Scope::Unspecified) => {
            "the password is wrong, or the user does not exist or is disabled or locked".to_owned()
        }
        (Method::Password { user, .. }, _) => format!(
            "either the password is wrong, or {} (or one of the two does not exist: check the names and domains)",
            no_role(&user.to_string())
        ),
        (Method::ApplicationCredential { .. }, _) => {
            "either its secret is wrong, or it was deleted or has expired, or its user lost the role on its project"
                .to_owned()
        }
        (Method::OAuth2(_), _) => {
            "either its secret is wrong, or it was deleted or has expired, or its user lost the role on its project"
                .to_owned()
        }
        (Method::Standalone(_), _) => "there is no Keystone to refuse it".to_owned(),
        (Method::Federated(_), _) => format!(
            "Keystone takes the provider's token, but maps it to no user, or {}; its administrator sees why (mappings)",
            no_role("that user")
        ),
        (Method::Token(_), _) => {
            format!("either the token is wrong or has expired, or {}", no_role("its user"))
        }
        (Method::Totp { user, .. }, _) => format!(
            "either the passcode is wrong (is the seed this user's, and does this machine's clock go right?), or {}",
            no_role(&user.to_string())
        ),
        (Method::Multifactor(_), _) => format!(
            "either one of these proofs is wrong (of a passcode: is the seed this user's, and does this machine's clock go \
             right?), or {}",
            no_role("the user")
        ),
    }
}
