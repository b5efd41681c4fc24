//! Sets of rules that are ready to use.
//!
//! `objects-read-only`: object stores (Swift, S3) are read and not written. `no-identity`: nothing of Keystone but a
//! login that we answer ourselves. `no-deletes`: no `DELETE` and what comes to one in an object store, and no actions,
//! whose bodies may be of the kind (`forceDelete`); what a service deletes in the course of an update is not told from
//! the head of the request.

use super::{Action, Methods, Rule};

/// A ready-made set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleSet {
    /// `objects-read-only`
    ObjectsReadOnly,
    /// `no-identity`
    NoIdentity,
    /// `no-deletes`
    NoDeletes,
}

impl RuleSet {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ObjectsReadOnly, Self::NoIdentity, Self::NoDeletes];

    /// As it is written in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ObjectsReadOnly => "objects-read-only",
            Self::NoIdentity => "no-identity",
            Self::NoDeletes => "no-deletes",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.as_str() == name)
    }

    /// Its rules.
    pub(super) fn rules(self) -> Vec<Rule> {
        let deny = |services: &[&str], methods, paths: &[&str]| Rule {
            services: services.iter().map(|service| (*service).to_owned()).collect(),
            methods,
            paths: paths.iter().filter_map(|path| path.parse().ok()).collect(),
            ..Rule::new(format!("the rule set {}", self.as_str()), Action::Deny)
        };
        match self {
            Self::ObjectsReadOnly => vec![deny(&["object-store", "s3"], vec![Methods::Write], &[])],
            Self::NoIdentity => vec![deny(&["identity"], Vec::new(), &[])],
            Self::NoDeletes => vec![
                deny(&[], vec![Methods::Named("DELETE".to_owned())], &[]),
                deny(
                    &["compute", "block-storage", "shared-file-system", "clustering"],
                    vec![Methods::Write],
                    &["/**/action", "/**/actions"],
                ),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_a_set_is_one() {
        for set in RuleSet::ALL {
            assert_eq!(RuleSet::named(set.as_str()), Some(set));
            assert!(!set.rules().is_empty());
        }
        assert_eq!(RuleSet::NoDeletes.rules()[1].paths.len(), 2);
    }
}
