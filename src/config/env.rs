//! The environment: the one place that reads it, behind a trait so that tests pass a map.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

/// Where variables come from.
pub trait Environment {
    /// The variable's value. One that is set but empty counts as unset, as in the
    /// OpenStack clients, since openrc files leave such variables behind.
    fn get(&self, name: &str) -> Option<String>;

    /// Names of the variables that are set, in any order.
    fn names(&self) -> Vec<String>;

    /// Asks the person at the terminal for a secret.
    ///
    /// # Errors
    ///
    /// Why nobody could be asked, as the end of a sentence.
    fn ask(&self, prompt: &str) -> Result<String, String> {
        let _ = prompt;
        Err("nobody can be asked".to_owned())
    }
}

/// Variables over those of another environment.
pub(super) struct Overlay<'a> {
    pub(super) under: &'a dyn Environment,
    /// None for what has been unset.
    pub(super) set: BTreeMap<String, Option<Zeroizing<String>>>,
}

impl Environment for Overlay<'_> {
    fn get(&self, name: &str) -> Option<String> {
        match self.set.get(name) {
            Some(value) => value.as_ref().filter(|value| !value.is_empty()).map(|value| value.to_string()),
            None => self.under.get(name),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: BTreeSet<String> = self.under.names().into_iter().collect();
        names.extend(self.set.keys().cloned());
        names.into_iter().filter(|name| self.set.get(name).is_none_or(Option::is_some)).collect()
    }

    fn ask(&self, prompt: &str) -> Result<String, String> {
        self.under.ask(prompt)
    }
}

/// The environment that the process was started with.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl ProcessEnvironment {
    /// All of it as it is, for whoever starts a program.
    pub fn all() -> Vec<(OsString, OsString)> {
        std::env::vars_os().collect()
    }
}

impl Environment for ProcessEnvironment {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    fn names(&self) -> Vec<String> {
        std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
    }

    /// Once for each question: settings are read again while the program runs, and nobody is there then.
    fn ask(&self, prompt: &str) -> Result<String, String> {
        let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, answer)) = answers.iter().find(|(asked, _)| asked == prompt) {
            return Ok(answer.to_string());
        }
        let answer =
            rpassword::prompt_password(prompt).map_err(|_| "there is no terminal to ask on".to_owned())?;
        answers.push((prompt.to_owned(), Zeroizing::new(answer.clone())));
        Ok(answer)
    }
}

/// What was answered so far.
static ANSWERS: Mutex<Vec<(String, Zeroizing<String>)>> = Mutex::new(Vec::new());

impl Environment for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        Self::get(self, name).filter(|value| !value.is_empty()).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_unset() {
        let map = BTreeMap::from([("A".to_owned(), String::new()), ("B".to_owned(), "b".to_owned())]);
        assert_eq!((Environment::get(&map, "A"), Environment::get(&map, "B")), (None, Some("b".to_owned())));
        assert_eq!(map.names(), ["A", "B"]);
    }
}
