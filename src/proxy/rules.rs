//! Rules: what may be asked of which service, by whom. Each listener has its own.
//!
//! 1. `read_only` comes first: nothing but `GET`, `HEAD` and `OPTIONS`, and no upgrade.
//! 2. Then the rules one after another; the first that matches decides. Those of a ready-made set come last (`sets`).
//! 3. If none matches, it is the opposite of the last one: after `deny` rules the rest is allowed, after an `allow`
//!    rule it is not. Without rules all is.
//! 4. A request comes to one thing or several (`acts`), the path of each has one reading or several (`readings`), and a
//!    host that serves more than one service may take it for another's: whatever of it is denied, the request is.
//! 5. A path is what follows the service, its version and the own project or account: `/servers/1` of
//!    `/compute/v2.1/servers/1`, `/container/object` of an object store. Another account stays: `/v1/AUTH_other/c`.
//! 6. Letters count for objects. Elsewhere `deny` takes them either way, as some servers do.
//! 7. What nobody knows (the user behind a network, the region of an override, the objects that a body names) is taken
//!    for what is denied, and not for what is allowed.
//! 8. Subject to the rules is what travels on. What we answer ourselves is not, a login with Keystone among it.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderMap, HeaderName, Method};

mod acts;
mod index;
mod path;
mod pattern;
mod readings;
mod sets;
mod strip;
#[cfg(test)]
mod tests;

pub use self::pattern::{InvalidPattern, Pattern};
pub use self::sets::RuleSet;

use self::acts::{Act, Place};
use self::index::Index;
use self::path::Path;
use self::readings::Ambiguous;
use super::excerpt::Excerpt;
use super::guard::AllowedUsers;
use crate::routing::{Route, RouteTable, Target, lenient};
use crate::users;

/// One rule; an empty list is no condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is called in answers and logs.
    pub label: String,
    /// What becomes of a request that matches.
    pub action: Action,
    /// Services by the key of their settings: the official type, where there is one.
    pub services: Vec<String>,
    /// Regions by their ids.
    pub regions: Vec<String>,
    /// Methods, of which one is used.
    pub methods: Vec<Methods>,
    /// Paths by rule 5, of which one is meant.
    pub paths: Vec<Pattern>,
    /// Users of this machine.
    pub users: Option<AllowedUsers>,
    /// What is in the query, at least one of these.
    pub query: Vec<Parameter>,
    /// Fields of the head, at least one of these.
    pub fields: Vec<HeaderName>,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on.
    Allow,
    /// It is refused.
    Deny,
}

/// An entry of a rule's methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// This one, and with `GET` also `HEAD`.
    Named(String),
    /// `GET`, `HEAD` and `OPTIONS`.
    Read,
    /// All others.
    Write,
}

/// A parameter of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value, if not any will do.
    pub value: Option<String>,
}

/// The rules of one listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    read_only: bool,
    list: Vec<Rule>,
    index: Index,
    /// Whether some rule asks for a path.
    names_paths: bool,
    hides_keys: bool,
    /// The user that runs the proxy.
    own: u32,
}

/// A request that is to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its fields, as they will be sent.
    pub headers: &'a HeaderMap,
    /// Where it goes.
    pub target: &'a Target<'a>,
    /// Where else its host leads.
    pub routes: &'a RouteTable,
    /// The id of the project that the token is for.
    pub project: Option<&'a str>,
    /// The user at the other end, if known.
    pub user: Option<u32>,
    /// Whether it wants another protocol.
    pub is_upgrade: bool,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Rule 1.
    #[error(
        "this proxy only reads, and {method} may change something; to change that, whoever runs it leaves out read_only \
         (--read-only)"
    )]
    ReadOnly {
        /// As the request has it, or as it comes to.
        method: Excerpt,
    },
    /// Rule 2.
    #[error(
        "{label} denies {method} in {service}; to change that, whoever runs this proxy adds a rule with action = \"allow\" \
         before it"
    )]
    By {
        /// Of the rule.
        label: String,
        /// As the request has it, or as it comes to.
        method: Excerpt,
        /// What the rule was about.
        service: String,
    },
    /// Rule 3.
    #[error(
        "no rule allows {method} here in {service}; to change that, whoever runs this proxy adds a rule with action = \
         \"allow\""
    )]
    NotAllowed {
        /// As the request has it, or as it comes to.
        method: Excerpt,
        /// Where it would have gone.
        service: String,
    },
    /// Rule 4, too many to judge.
    #[error(
        "the path `{0}` can be read in too many ways to be judged by the rules; write it without escapes"
    )]
    Ambiguous(Excerpt),
}

impl Default for Rules {
    /// None.
    fn default() -> Self {
        Self::new(false, Vec::new(), &[])
    }
}

impl Rules {
    /// These, and after them those of the sets.
    pub fn new(read_only: bool, own: Vec<Rule>, sets: &[RuleSet]) -> Self {
        let hides_keys = read_only || sets.contains(&RuleSet::ObjectsReadOnly);
        let list: Vec<Rule> = own.into_iter().chain(sets.iter().flat_map(|set| set.rules())).collect();
        let names_paths = list.iter().any(|rule| !rule.paths.is_empty());
        let index = Index::new(&list);
        Self { read_only, list, index, names_paths, hides_keys, own: users::own_id() }
    }

    /// Whether some rule asks which user it is.
    pub fn need_users(&self) -> bool {
        self.list.iter().any(|rule| rule.users.is_some())
    }

    /// Rules by their labels, and the services that they name.
    pub fn services(&self) -> impl Iterator<Item = (&str, &str)> {
        self.list
            .iter()
            .flat_map(|rule| rule.services.iter().map(|service| (rule.label.as_str(), service.as_str())))
    }

    /// Rules by their labels, and the regions that they name.
    pub fn regions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.list
            .iter()
            .flat_map(|rule| rule.regions.iter().map(|region| (rule.label.as_str(), region.as_str())))
    }

    /// Whether keys for temporary URLs are taken out of answers: with one, writing needs nobody's leave.
    pub(super) fn hides_keys(&self) -> bool {
        self.hides_keys
    }

    /// Whether everything is allowed.
    pub fn are_none(&self) -> bool {
        !self.read_only && self.list.is_empty()
    }

    /// Applies the rules; on success, which rule has allowed it, if one has.
    ///
    /// # Errors
    ///
    /// It is denied.
    #[inline(never)] // so that benches/guard can tell what it costs
    pub fn check(&self, asked: &Asked<'_>) -> Result<Option<&str>, Denied> {
        if self.are_none() {
            return Ok(None);
        }
        let query = asked.target.path_and_query.query().unwrap_or_default();
        let own = Act { method: asked.method.as_str().into(), at: Place::Path };
        let more = acts::more(asked.method, asked.headers, query);
        if self.read_only {
            check_reads(std::iter::once(&own).chain(&more), asked.is_upgrade)?;
        }
        let mut allowing = None;
        for act in std::iter::once(&own).chain(&more) {
            self.each_subject(act, asked, |subject| {
                allowing = self.decide(act, subject, asked, query)?.or(allowing);
                Ok(())
            })?;
        }
        Ok(allowing)
    }

    /// Rule 4: calls `judge` with everything that an act may be about, until it is against it.
    fn each_subject(
        &self,
        act: &Act<'_>,
        asked: &Asked<'_>,
        mut judge: impl FnMut(Subject<'_>) -> Result<(), Denied>,
    ) -> Result<(), Denied> {
        let target = asked.target;
        let route = target.route;
        let is_shared = || asked.routes.sharing(route).next().is_some();
        if act.at == Place::Anywhere || !self.names_paths && !is_shared() {
            return judge(Subject { route, path: None });
        }
        if let Place::Object { name, account } = &act.at {
            return readings::of(name, lenient::is_plain(name), true).map_err(Denied::from)?.each(
                |reading| {
                    // An object of another account is none of the own one's, whatever its name.
                    let path = account.is_none().then(|| strip::object(Path::of(reading)));
                    judge(Subject { route, path })
                },
            );
        }
        let readings =
            readings::of(target.below_root().as_bytes(), target.is_plain, strip::holds_objects(route));
        readings.map_err(Denied::from)?.each(|reading| {
            for claimant in std::iter::once(route).chain(asked.routes.sharing(route)) {
                let more_root = &claimant.root()[route.root().len()..];
                let Some(below) = strip::root(Path::of(reading), more_root) else { continue };
                let (path, other) = strip::version_and_owner(below, claimant, asked.project);
                judge(Subject { route: claimant, path: Some(path) })?;
                if let Some(path) = other {
                    judge(Subject { route: claimant, path: Some(path) })?;
                }
            }
            Ok(())
        })
    }

    /// Rules 2 and 3.
    fn decide(
        &self,
        act: &Act<'_>,
        subject: Subject<'_>,
        asked: &Asked<'_>,
        query: &str,
    ) -> Result<Option<&str>, Denied> {
        let method = || Excerpt::new(act.method.as_bytes());
        let service = || subject.route.settings_key.clone();
        let route = subject.route;
        let mut rules =
            self.index.find(&act.method, &route.settings_key, subject.path).map(|at| &self.list[at]);
        match rules.find(|rule| rule.matches(act, subject, asked, query, self.own)) {
            Some(Rule { action: Action::Allow, label, .. }) => Ok(Some(label)),
            Some(Rule { action: Action::Deny, label, .. }) => {
                Err(Denied::By { label: label.clone(), method: method(), service: service() })
            }
            None if self.list.last().is_some_and(|last| last.action == Action::Allow) => {
                Err(Denied::NotAllowed { method: method(), service: service() })
            }
            None => Ok(None),
        }
    }
}

/// Rule 1.
fn check_reads<'a>(mut acts: impl Iterator<Item = &'a Act<'a>>, is_upgrade: bool) -> Result<(), Denied> {
    if is_upgrade {
        return Err(Denied::ReadOnly { method: Excerpt::new("an upgrade") });
    }
    match acts.find(|act| !reads(&act.method)) {
        Some(act) => Err(Denied::ReadOnly { method: Excerpt::new(act.method.as_bytes()) }),
        None => Ok(()),
    }
}

fn reads(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}

/// What an act may be about, one reading of it.
#[derive(Clone, Copy, Debug)]
struct Subject<'a> {
    /// What serves it.
    route: &'a Route,
    /// The path by rule 5; none if nobody knows, or asks.
    path: Option<Path<'a>>,
}

impl From<Ambiguous> for Denied {
    fn from(Ambiguous(path): Ambiguous) -> Self {
        Self::Ambiguous(path)
    }
}

/// Those that nearly all requests have.
const KNOWN_METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"];

impl Rule {
    /// One without conditions.
    pub fn new(label: String, action: Action) -> Self {
        Self {
            label,
            action,
            services: Vec::new(),
            regions: Vec::new(),
            methods: Vec::new(),
            paths: Vec::new(),
            users: None,
            query: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// Whether it is for this method, as it stands.
    fn is_for(&self, method: &str) -> bool {
        let denies = self.action == Action::Deny;
        self.methods.is_empty() || self.methods.iter().any(|methods| methods.cover(method, denies))
    }

    fn matches(&self, act: &Act<'_>, subject: Subject<'_>, asked: &Asked<'_>, query: &str, own: u32) -> bool {
        // Rule 7.
        let denies = self.action == Action::Deny;
        self.covers_service(subject.route)
            && (self.regions.is_empty()
                || subject.route.region.as_ref().map_or(denies, |region| self.regions.contains(&region.0)))
            && self.is_for(&act.method)
            && (self.paths.is_empty() || self.covers_path(subject))
            && self.users.as_ref().is_none_or(|users| match asked.user {
                Some(user) => users.covers(user, own),
                None => denies || users.is_any(),
            })
            && (self.query.is_empty()
                || acts::pairs(query).any(|pair| self.query.iter().any(|it| it.is(&pair))))
            && (self.fields.is_empty() || self.fields.iter().any(|field| asked.headers.contains_key(field)))
    }

    #[inline]
    fn covers_service(&self, route: &Route) -> bool {
        self.services.is_empty() || self.services.contains(&route.settings_key)
    }

    fn covers_path(&self, subject: Subject<'_>) -> bool {
        let denies = self.action == Action::Deny;
        let Some(path) = subject.path else {
            return denies || self.paths.iter().any(Pattern::covers_everything);
        };
        // Rule 6.
        let in_any_letters = denies && !strip::holds_objects(subject.route);
        self.paths.iter().any(|pattern| pattern.covers(path, in_any_letters))
    }
}

impl Methods {
    /// Whether it is one of them. Who denies a method means it in any letters.
    fn cover(&self, method: &str, in_any_letters: bool) -> bool {
        let is = |name: &str| if in_any_letters { name.eq_ignore_ascii_case(method) } else { name == method };
        match self {
            Self::Named(name) => is(name) || name == "GET" && is("HEAD"),
            Self::Read => ["GET", "HEAD", "OPTIONS"].into_iter().any(is),
            Self::Write => !reads(method),
        }
    }
}

impl Parameter {
    fn is(&self, (name, value): &(Cow<'_, [u8]>, Cow<'_, [u8]>)) -> bool {
        name.eq_ignore_ascii_case(self.name.as_bytes())
            && self.value.as_ref().is_none_or(|wanted| value.eq_ignore_ascii_case(wanted.as_bytes()))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        })
    }
}
