//! The environment: the one place that reads it, behind a trait so that tests pass a map.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// Where variables come from.
pub trait Environment {
    /// The variable's value. One that is set but empty counts as unset, as in the
    /// OpenStack clients, since openrc files leave such variables behind.
    fn get(&self, name: &str) -> Option<String>;

    /// Names of the variables that are set, in any order.
    fn names(&self) -> Vec<String>;
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
}

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
