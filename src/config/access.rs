//! Who may use a listener, and for what, as written: at the top of the file (or in variables and flags) for every
//! listener, in a `[[listener]]` table for that one.
//!
//! A table's setting replaces the one at the top; they are not added up.

use crate::proxy::Access;

use super::settings::{self, Base, Given, Placed};
use super::values;

/// What has been set.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    allowed_hosts: Option<Placed<Vec<String>>>,
}

/// Names of these settings; all are among [`settings::NAMES`] as well.
pub(super) const NAMES: [&str; 1] = ["allowed_hosts"];

impl Draft {
    /// Sets one of [`NAMES`].
    pub(super) fn set(
        &mut self,
        name: &str,
        given: &Given,
        place: &str,
        _base: Base<'_>,
    ) -> Result<(), String> {
        match name {
            "allowed_hosts" => {
                self.allowed_hosts = Some(settings::placed(each_host(given)?, place));
            }
            _ => return Err(format!("`{name}` is not a setting about access")),
        }
        Ok(())
    }

    /// These, and those of `top` where there are none.
    pub(super) fn or(&self, top: &Self) -> Self {
        Self { allowed_hosts: self.allowed_hosts.clone().or_else(|| top.allowed_hosts.clone()) }
    }

    /// With the default of what is not set.
    pub(super) fn finish(self) -> Access {
        let default = Access::default();
        Access { allowed_hosts: self.allowed_hosts.map_or(default.allowed_hosts, |placed| placed.value) }
    }
}

fn each_host(given: &Given) -> Result<Vec<String>, String> {
    given.list()?.iter().map(|text| values::host(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_setting_everywhere() {
        for name in NAMES {
            assert!(settings::NAMES.contains(&name), "{name}");
        }
    }
}
