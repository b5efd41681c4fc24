//! `[[rule]]` tables: at the top of the file for every listener, as `[[listener.rule]]` for that one.

use http::HeaderName;

use crate::proxy::{Action, Methods, Parameter, Pattern, Rule};

use super::access;
use super::mistakes::did_you_mean;
use super::services;
use super::settings::Given;

/// What a rule may hold.
const KEYS: [&str; 9] = ["name", "action", "service", "region", "method", "path", "user", "query", "header"];

/// A rule as far as it has been read.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Beside its name, or for want of one.
    place: String,
    name: Option<String>,
    action: Option<Action>,
    rule: Rule,
}

impl Table {
    /// An empty one; `place` is its number, and the file's name and line, as those who are refused may see it.
    pub(super) fn new(place: String) -> Self {
        let rule = Rule::new(String::new(), Action::Deny);
        Self { place, name: None, action: None, rule }
    }

    /// Sets one of its keys.
    pub(super) fn set(&mut self, key: &str, given: &Given) -> Result<(), String> {
        let rule = &mut self.rule;
        match key {
            "name" => self.name = Some(given.text()?),
            "action" => self.action = Some(action(&given.text()?)?),
            "service" => rule.services = some(given)?.iter().map(|name| services::official(name)).collect(),
            "region" => rule.regions = some(given)?,
            "method" => {
                rule.methods = some(given)?.iter().map(|text| method(text)).collect::<Result<_, _>>()?
            }
            "path" => rule.paths = paths(given)?,
            "user" => rule.users = Some(access::users(given)?),
            "query" => rule.query = some(given)?.iter().map(|text| parameter(text)).collect(),
            "header" => {
                rule.fields = some(given)?.iter().map(|text| field(text)).collect::<Result<_, _>>()?
            }
            other => {
                return Err(format!("`{other}` is not a setting of a rule{}", did_you_mean(other, KEYS)));
            }
        }
        Ok(())
    }

    /// The rule.
    pub(super) fn finish(self) -> Result<Rule, String> {
        let action = self.action.ok_or("it has no `action`; write \"allow\" or \"deny\"")?;
        let label = match self.name {
            Some(name) => format!("the rule \"{name}\" ({})", self.place),
            None => self.place,
        };
        Ok(Rule { label, action, ..self.rule })
    }
}

/// A list with something in it: who names nothing would else mean everything.
fn some(given: &Given) -> Result<Vec<String>, String> {
    let list = given.list()?;
    if list.is_empty() { Err("it is empty; leave it out to mean all".to_owned()) } else { Ok(list) }
}

/// Paths may hold commas.
fn paths(given: &Given) -> Result<Vec<Pattern>, String> {
    let texts = match given {
        Given::Text(text) => vec![text.clone()],
        Given::List(list) => list.clone(),
        Given::Number(_) | Given::Switch(_) => some(given)?,
    };
    if texts.is_empty() {
        return Err("it is empty; leave it out to mean all".to_owned());
    }
    texts
        .iter()
        .map(|text| text.parse().map_err(|error: crate::proxy::InvalidPattern| error.to_string()))
        .collect()
}

fn action(text: &str) -> Result<Action, String> {
    match text {
        "allow" => Ok(Action::Allow),
        "deny" => Ok(Action::Deny),
        other => Err(format!("`{other}` is neither `allow` nor `deny`")),
    }
}

fn method(text: &str) -> Result<Methods, String> {
    match text {
        "read" => Ok(Methods::Read),
        "write" => Ok(Methods::Write),
        name if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            Ok(Methods::Named(name.to_owned()))
        }
        other => Err(format!(
            "`{other}` is no method; write one such as `DELETE`, or `read` (GET, HEAD, OPTIONS) or `write` (all others)"
        )),
    }
}

fn parameter(text: &str) -> Parameter {
    match text.split_once('=') {
        Some((name, value)) => Parameter { name: name.to_owned(), value: Some(value.to_owned()) },
        None => Parameter { name: text.to_owned(), value: None },
    }
}

fn field(text: &str) -> Result<HeaderName, String> {
    text.parse().map_err(|_| format!("`{text}` is no name of a field, such as `X-Delete-At`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(keys: &[(&str, &str)]) -> Result<Rule, String> {
        let mut table = Table::new("rule 1".to_owned());
        for (key, value) in keys {
            table.set(key, &Given::Text((*value).to_owned()))?;
        }
        table.finish()
    }

    #[test]
    fn a_rule_is_read_with_everything_in_it() {
        let rule = read(&[
            ("name", "no keys"),
            ("action", "deny"),
            ("service", "swift, Compute"),
            ("region", "GRA"),
            ("method", "GET, write"),
            ("path", "/a,b/**"),
            ("user", "self, 1000-2000"),
            ("query", "temp_url_sig, a=b=c"),
            ("header", "X-Delete-At"),
        ])
        .unwrap();
        assert_eq!(rule.label, "the rule \"no keys\" (rule 1)");
        assert_eq!(
            (rule.action, rule.services),
            (Action::Deny, vec!["object-store".to_owned(), "compute".to_owned()])
        );
        assert_eq!(rule.methods, [Methods::Named("GET".to_owned()), Methods::Write]);
        assert_eq!(rule.paths.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/a,b/**"]);
        assert_eq!(rule.query[1], Parameter { name: "a".to_owned(), value: Some("b=c".to_owned()) });
        assert!(rule.users.unwrap().covers(1500, 0));
        assert_eq!(rule.fields, ["x-delete-at"]);
    }

    #[test]
    fn what_is_no_rule_says_why() {
        for (keys, message) in [
            (&[][..], "it has no `action`; write \"allow\" or \"deny\""),
            (&[("action", "drop")], "`drop` is neither `allow` nor `deny`"),
            (&[("methods", "GET")], "`methods` is not a setting of a rule; did you mean `method`?"),
            (
                &[("method", "get")],
                "`get` is no method; write one such as `DELETE`, or `read` (GET, HEAD, OPTIONS) or `write` (all others)",
            ),
            (&[("method", ",")], "it is empty; leave it out to mean all"),
            (
                &[("path", "servers")],
                "the path `servers` must start with `/`; it is what follows the service and its version",
            ),
            (&[("header", "a b")], "`a b` is no name of a field, such as `X-Delete-At`"),
            (
                &[("user", "no such user")],
                "there is no user `no such user` on this machine; name one, an id, a range of ids, `self` or `any`",
            ),
        ] {
            assert_eq!(read(keys).unwrap_err(), message);
        }
    }
}
