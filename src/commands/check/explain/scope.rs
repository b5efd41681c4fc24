//! A login whose password is right: which scope was meant.

use super::Explained;
use crate::identity::NamedProject;
use crate::identity::credentials::{Domain, Project, Scope};

/// The password is right, so it is the scope.
pub(super) fn explain(scope: &Scope, projects: Option<Vec<NamedProject>>) -> Explained {
    let is_told = projects.is_some();
    let projects = projects.unwrap_or_default();
    let shown = |project: &NamedProject| format!("OS_PROJECT_ID={} ({})", project.id, project.name);
    let mut advice = Vec::new();
    let cause = match scope {
        Scope::Project(Project::Name { name, domain }) => {
            let namesakes: Vec<&NamedProject> =
                projects.iter().filter(|it| it.name.eq_ignore_ascii_case(name)).collect();
            let nearest = projects.iter().max_by_key(|it| likeness(&it.name, name));
            match (&namesakes[..], nearest) {
                ([namesake, ..], _) if !is_of(namesake, domain) => {
                    let id = namesake.domain_id.as_deref().unwrap_or_default();
                    advice.push(format!(
                        "set OS_PROJECT_DOMAIN_ID={id} (`project_domain_id`), or {}",
                        shown(namesake)
                    ));
                    format!("the password is right, but project {name} is of another domain than {domain}")
                }
                (_, nearest) => {
                    if let Some(nearest) = nearest.filter(|it| likeness(&it.name, name) > 700) {
                        advice.push(format!("did you mean {}? {}", nearest.name, shown(nearest)));
                    }
                    format!(
                        "the password is right, but the user has no role on project {name} of {domain}, or there is none"
                    )
                }
            }
        }
        scope => format!("the password is right, but the user has no role on {scope}, or there is none"),
    };
    if !is_told {
        advice.push(
            "ask an administrator for a role there; Keystone does not tell which projects there are"
                .to_owned(),
        );
    } else if projects.is_empty() {
        advice.push("the user has no project at all; ask an administrator for a role on one".to_owned());
    } else if advice.is_empty() {
        advice.push(format!("take one of the user's own: {}", shown(&projects[0])));
    }
    let keys = match scope {
        Scope::Trust(_) => vec!["trust_id"],
        Scope::System => vec!["system_scope"],
        Scope::Domain(_) => vec!["domain_id", "domain_name"],
        Scope::Project(_) | Scope::Unspecified => {
            vec!["project_id", "project_name", "project_domain_id", "project_domain_name"]
        }
    };
    Explained { step: "scope", cause, keys, advice, projects, skew: None }
}

/// Whether a project may be of a domain, as far as its list tells.
fn is_of(project: &NamedProject, domain: &Domain) -> bool {
    match domain {
        Domain::Id(id) => project.domain_id.as_ref().is_none_or(|it| it == id),
        // Lists have ids; of names only the usual one is known.
        Domain::Name(name) => {
            let is_default = project.domain_id.as_deref() == Some("default");
            is_default == name.eq_ignore_ascii_case("default")
        }
    }
}

/// From 0 to 1000.
fn likeness(one: &str, other: &str) -> u32 {
    (strsim::jaro_winkler(&one.to_lowercase(), &other.to_lowercase()) * 1000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(id: &str, name: &str, domain: &str) -> NamedProject {
        NamedProject {
            id: id.to_owned(),
            name: name.to_owned(),
            domain: None,
            domain_id: Some(domain.to_owned()),
        }
    }

    fn by_name(name: &str, domain: &str) -> Scope {
        Scope::Project(Project::Name { name: name.to_owned(), domain: Domain::Name(domain.to_owned()) })
    }

    #[test]
    fn a_wrong_project_is_told_beside_those_that_there_are() {
        let projects = || Some(vec![project("1", "demo", "default"), project("2", "alt", "default")]);
        let slip = explain(&by_name("demmo", "Default"), projects());
        assert_eq!(
            (slip.step, slip.advice.as_slice()),
            ("scope", &["did you mean demo? OS_PROJECT_ID=1 (demo)".to_owned()][..])
        );
        let domain = explain(&by_name("demo", "Acme"), projects());
        assert!(domain.cause.contains("of another domain than domain Acme"), "{}", domain.cause);
        assert!(domain.advice[0].contains("OS_PROJECT_DOMAIN_ID=default"), "{:?}", domain.advice);
        let none = explain(&by_name("x", "Default"), Some(Vec::new()));
        assert!(none.advice[0].contains("no project at all"), "{:?}", none.advice);
        let other = explain(&by_name("zzz", "Default"), projects());
        assert!(
            other.advice[0].contains("take one of the user's own: OS_PROJECT_ID=1"),
            "{:?}",
            other.advice
        );
    }
}
