//! Who may use a listener, and for what, as written: at the top of the file (or in variables and flags) for every
//! listener, in a `[[listener]]` table for that one.
//!
//! A table's setting replaces the one at the top; they are not added up.

use ipnet::IpNet;

use crate::proxy::{Access, AllowedUser, AllowedUsers, RequiredField, Rule, RuleSet, Rules};
use crate::users;

use super::mistakes::did_you_mean;
use super::settings::{self, Given, Placed};
use super::values;

/// What has been set.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    allow_users: Option<Placed<AllowedUsers>>,
    allow_root: Option<Placed<bool>>,
    allow_remote: Option<Placed<Vec<IpNet>>>,
    allowed_hosts: Option<Placed<Vec<String>>>,
    socket_mode: Option<Placed<u32>>,
    socket_group: Option<Placed<u32>>,
    require_header: Option<Placed<RequiredField>>,
    read_only: Option<Placed<bool>>,
    rule_sets: Option<Placed<Vec<RuleSet>>>,
    rules: Option<Vec<Rule>>,
}

/// Names of these settings; all are among [`settings::NAMES`] as well. Rules are tables, and no setting of these.
pub(super) const NAMES: [&str; 9] = [
    "allow_users",
    "allow_root",
    "allow_remote",
    "allowed_hosts",
    "socket_mode",
    "socket_group",
    "require_header",
    "read_only",
    "rule_sets",
];

impl Draft {
    /// Sets one of [`NAMES`].
    pub(super) fn set(&mut self, name: &str, given: &Given, place: &str) -> Result<(), String> {
        match name {
            "allow_users" => self.allow_users = Some(settings::placed(users(given)?, place)),
            "allow_root" => self.allow_root = Some(settings::placed(given.switch()?, place)),
            "allow_remote" => {
                let networks = given.list()?.iter().map(|text| network(text)).collect::<Result<_, _>>()?;
                self.allow_remote = Some(settings::placed(networks, place));
            }
            "allowed_hosts" => {
                let hosts = given.list()?.iter().map(|text| values::host(text)).collect::<Result<_, _>>()?;
                self.allowed_hosts = Some(settings::placed(hosts, place));
            }
            "socket_mode" => self.socket_mode = Some(settings::placed(mode(given)?, place)),
            "socket_group" => self.socket_group = Some(settings::placed(group(&given.text()?)?, place)),
            "require_header" => {
                self.require_header = Some(settings::placed(required_field(&given.text()?)?, place));
            }
            "read_only" => self.read_only = Some(settings::placed(given.switch()?, place)),
            "rule_sets" => {
                let sets = given.list()?.iter().map(|text| rule_set(text)).collect::<Result<_, _>>()?;
                self.rule_sets = Some(settings::placed(sets, place));
            }
            _ => return Err(format!("`{name}` is not a setting about access")),
        }
        Ok(())
    }

    /// Sets the `[[rule]]` tables.
    pub(super) fn set_rules(&mut self, rules: Vec<Rule>) {
        self.rules = Some(rules);
    }

    /// These, and those of `top` where there are none.
    pub(super) fn or(&self, top: &Self) -> Self {
        Self {
            allow_users: self.allow_users.clone().or_else(|| top.allow_users.clone()),
            allow_root: self.allow_root.clone().or_else(|| top.allow_root.clone()),
            allow_remote: self.allow_remote.clone().or_else(|| top.allow_remote.clone()),
            allowed_hosts: self.allowed_hosts.clone().or_else(|| top.allowed_hosts.clone()),
            read_only: self
                .read_only
                .clone()
                .filter(|_| !is_said_outside_the_file(top))
                .or_else(|| top.read_only.clone()),
            socket_mode: self.socket_mode.clone().or_else(|| top.socket_mode.clone()),
            socket_group: self.socket_group.clone().or_else(|| top.socket_group.clone()),
            require_header: self.require_header.clone().or_else(|| top.require_header.clone()),
            rule_sets: self.rule_sets.clone().or_else(|| top.rule_sets.clone()),
            rules: self.rules.clone().or_else(|| top.rules.clone()),
        }
    }

    /// With the default of what is not set.
    pub(super) fn finish(self) -> Access {
        let default = Access::default();
        Access {
            users: self.allow_users.map(|placed| placed.value),
            allow_root: self.allow_root.map_or(default.allow_root, |placed| placed.value),
            networks: self.allow_remote.map_or(default.networks, |placed| placed.value),
            allowed_hosts: self.allowed_hosts.map_or(default.allowed_hosts, |placed| placed.value),
            socket_mode: self.socket_mode.map(|placed| placed.value),
            socket_group: self.socket_group.map(|placed| placed.value),
            required_field: self.require_header.map(|placed| placed.value),
            rules: Rules::new(
                self.read_only.is_some_and(|placed| placed.value),
                self.rules.unwrap_or_default(),
                &self.rule_sets.map_or(Vec::new(), |placed| placed.value),
            ),
        }
    }
}

/// Whether a flag or a variable says that nothing may be written: whoever starts the proxy so means all of it.
fn is_said_outside_the_file(top: &Draft) -> bool {
    let places = ["--read-only", "GATESTONE_READ_ONLY"];
    top.read_only.as_ref().is_some_and(|placed| placed.value && places.contains(&placed.place.as_str()))
}

/// An octal text such as `0660`, or TOML's `0o660`.
fn mode(given: &Given) -> Result<u32, String> {
    let mode = match given {
        Given::Text(text) => u32::from_str_radix(text.trim().trim_start_matches("0o"), 8).ok(),
        Given::Number(number) => u32::try_from(*number).ok(),
        Given::Switch(_) | Given::List(_) => None,
    };
    mode.filter(|mode| *mode <= 0o777 && mode & 0o600 == 0o600).ok_or_else(|| {
        "it is no mode of a socket such as \"0660\", which its owner can read and write".to_owned()
    })
}

/// A name or an id.
fn group(text: &str) -> Result<u32, String> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    match users::group_id_of(text) {
        Ok(Some(id)) => Ok(id),
        Ok(None) => Err(format!("there is no group `{text}` on this machine; name one, or an id")),
        Err(error) => Err(format!("the group `{text}` cannot be looked up ({error}); write the id")),
    }
}

/// `Name`, or `Name: value`.
fn required_field(text: &str) -> Result<RequiredField, String> {
    let (name, value) = text.split_once(':').map_or((text, None), |(name, value)| (name, Some(value.trim())));
    let wrong = || format!("`{text}` is no field such as `X-Gatestone-Request: true`");
    let name: http::HeaderName = name.trim().parse().map_err(|_| wrong())?;
    if !name.as_str().starts_with("x-") {
        return Err(format!(
            "`{name}` may be a browser's own or a service's; take a name that starts with `X-`"
        ));
    }
    let value = value.map(|value| value.parse().map_err(|_| wrong())).transpose()?;
    Ok(RequiredField { name, value })
}

fn rule_set(text: &str) -> Result<RuleSet, String> {
    let names = || RuleSet::ALL.into_iter().map(RuleSet::as_str);
    RuleSet::named(text).ok_or_else(|| {
        let all = names().collect::<Vec<_>>().join("`, `");
        format!("`{text}` is no set of rules{}; there are `{all}`", did_you_mean(text, names()))
    })
}

pub(super) fn users(given: &Given) -> Result<AllowedUsers, String> {
    let users: Vec<_> = given.list()?.iter().map(|text| user(text)).collect::<Result<_, _>>()?;
    if users.is_empty() {
        return Err("nobody is named; write \"self\" for the user that runs the proxy".to_owned());
    }
    Ok(AllowedUsers::new(users))
}

/// `self`, `any`, an id, a range of ids, or a name.
fn user(text: &str) -> Result<AllowedUser, String> {
    match text {
        "self" => return Ok(AllowedUser::Myself),
        "any" => return Ok(AllowedUser::Any),
        _ => {}
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        let id = |text: &str| {
            text.parse::<u32>().map_err(|_| {
                format!("`{text}` is neither a user's id nor a range of ids such as 100000-165535")
            })
        };
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (id(first)?, id(last)?),
            None => (id(text)?, id(text)?),
        };
        if first > last {
            return Err(format!("the range {text} has no id in it"));
        }
        return Ok(AllowedUser::Ids(first..=last));
    }
    match users::id_of(text) {
        Ok(Some(id)) => Ok(AllowedUser::Named(text.to_owned(), id)),
        Ok(None) => Err(format!(
            "there is no user `{text}` on this machine; name one, an id, a range of ids, `self` or `any`"
        )),
        Err(error) => Err(format!("the user `{text}` cannot be looked up ({error}); write the id")),
    }
}

/// A network as `10.0.0.0/8`, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let one = || text.parse().ok().map(|address: std::net::IpAddr| IpNet::from(address));
    text.parse::<IpNet>().ok().map(|network| network.trunc()).or_else(one).ok_or_else(|| {
        format!("`{text}` is neither a network such as 10.0.0.0/8 or fd00::/8, nor an address")
    })
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

    #[test]
    fn users_are_named_in_many_ways() {
        assert_eq!(user("self"), Ok(AllowedUser::Myself));
        assert_eq!(user("any"), Ok(AllowedUser::Any));
        assert_eq!(user("root"), Ok(AllowedUser::Named("root".to_owned(), 0)));
        assert_eq!(user("1000"), Ok(AllowedUser::Ids(1000..=1000)));
        assert_eq!(user("100000-165535"), Ok(AllowedUser::Ids(100_000..=165_535)));
        for text in ["no such user", "Self", "ANY", "-1", "5-4", "1-", "4294967296", "1-2-3", "*"] {
            assert!(user(text).is_err(), "{text}");
        }
        assert!(users(&Given::List(vec![])).is_err());
    }

    #[test]
    fn modes_are_octal_and_groups_have_names_or_ids() {
        let text = |text: &str| mode(&Given::Text(text.to_owned()));
        assert_eq!(
            (text("0660"), text("666"), mode(&Given::Number(0o660))),
            (Ok(0o660), Ok(0o666), Ok(0o660))
        );
        for wrong in ["", "0888", "rw-rw----", "01777", "0060"] {
            assert!(text(wrong).is_err(), "{wrong}");
        }
        assert!(mode(&Given::Number(660)).is_err(), "it has been written without a thought of the base");
        assert_eq!((group("root"), group("7")), (Ok(0), Ok(7)));
        assert!(group("no such group").is_err());
    }

    #[test]
    fn a_required_field_is_one_that_no_browser_sends_by_itself() {
        let shown = |text| required_field(text).map(|field| field.to_string());
        assert_eq!(shown("X-Gatestone-Request: true").unwrap(), "x-gatestone-request: true");
        assert_eq!(shown("X-Any").unwrap(), "x-any: ..");
        for text in ["", "X Y", "Accept: x", "User-Agent", "X-A: \u{7f}"] {
            assert!(required_field(text).is_err(), "{text}");
        }
    }

    #[test]
    fn networks_have_a_length_or_are_one_address() {
        for (text, read) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("fd00::/8", "fd00::/8"),
            ("192.168.0.7", "192.168.0.7/32"),
            ("::1", "::1/128"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(network(text).map(|network| network.to_string()), Ok(read.to_owned()), "{text}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0", "localhost", "any", "10.0.0.0/-1"] {
            assert!(network(text).is_err(), "{text}");
        }
    }
}
