//! Who asks, and what they may do: keystonemiddleware's and `keystoneauth`'s rules, as far as they concern accounts
//! `AUTH_{project}` and access lists of containers.
//!
//! It knows no service tokens, no names in access lists, and no accounts with other prefixes.

use std::fmt::Debug;

use http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode_str;

use super::super::keystone::{Bearer, Keystone};
use super::metadata::joined;
use super::refusal::Refusal;

/// Who knows tokens.
pub(super) trait Tokens: Debug + Send + Sync {
    /// Who stands behind a token.
    fn bearer(&self, token: &str) -> Option<Bearer>;
}

impl Tokens for Keystone {
    fn bearer(&self, token: &str) -> Option<Bearer> {
        self.bearer(token)
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// Nobody known; with a token that is none, or without any.
    Nobody {
        /// Where such callers log in.
        login: Option<String>,
    },
    /// The bearer of a token.
    Bearer(Bearer),
    /// Somebody with a temporary URL: for an account, or for one container of it.
    TempUrl(String, Option<String>),
}

/// What an access list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// To read an object.
    Object,
    /// To list a container, or to see its metadata.
    Listing,
    /// To write.
    Write,
}

/// How somebody got in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// The account is theirs: they see access lists and keys too.
    Owner,
    /// Somebody let them.
    Guest,
}

impl Caller {
    /// Reads the token of a request.
    pub(super) fn of(headers: &HeaderMap, tokens: &dyn Tokens, login: &str) -> Self {
        let token = ["x-auth-token", "x-storage-token"].into_iter().find_map(|name| headers.get(name));
        let bearer = token.and_then(|token| tokens.bearer(token.to_str().ok()?));
        // keystonemiddleware challenges only where it let the request pass without anybody behind it.
        bearer.map_or_else(|| Self::Nobody { login: Some(login.to_owned()) }, Self::Bearer)
    }

    /// Lets the caller in or not; `list` is the access list of the container, if one counts here.
    pub(super) fn enter(
        &self,
        account: &str,
        container: Option<&str>,
        act: Act,
        list: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Entry, Refusal> {
        match self {
            Self::TempUrl(mine, only) => {
                let fits = mine == account && only.as_deref().is_none_or(|only| container == Some(only));
                return if fits { Ok(Entry::Guest) } else { Err(self.denied(account)) };
            }
            Self::Bearer(bearer) if owns(bearer, account) => return Ok(Entry::Owner),
            Self::Bearer(_) | Self::Nobody { .. } => {}
        }
        let allowed = list.is_some_and(|list| self.is_listed(list, act, headers));
        if allowed { Ok(Entry::Guest) } else { Err(self.denied(account)) }
    }

    /// The account of the token's project, where paths leave it out; one that nobody has without such a token.
    pub(super) fn own_account(&self) -> String {
        let project_id = match self {
            Self::Bearer(bearer) => bearer.project_id.as_deref(),
            Self::Nobody { .. } | Self::TempUrl(..) => None,
        };
        format!("AUTH_{}", project_id.unwrap_or_default())
    }

    /// Whether an administrator asks.
    pub(super) fn is_admin(&self) -> bool {
        matches!(self, Self::Bearer(bearer) if has_role(bearer, &["admin"]))
    }

    fn is_listed(&self, list: &str, act: Act, headers: &HeaderMap) -> bool {
        let entries: Vec<&str> = list.split(',').collect();
        let is_open = match act {
            Act::Object => true,
            Act::Listing => entries.contains(&".rlistings"),
            Act::Write => false,
        };
        if is_open && referrer_allowed(&entries, headers) {
            return true;
        }
        let Self::Bearer(bearer) = self else { return false };
        let project = bearer.project_id.as_deref();
        entries.iter().any(|entry| {
            let entry = percent_decode_str(entry).decode_utf8_lossy();
            match entry.split_once(':') {
                Some((tenant, user)) => {
                    (tenant == "*" || Some(tenant) == project) && (user == "*" || user == bearer.user_id)
                }
                None => has_role(bearer, &[&entry]),
            }
        })
    }

    /// What a caller gets who may not.
    pub(super) fn denied(&self, account: &str) -> Refusal {
        match self {
            Self::Bearer(_) => Refusal::of(StatusCode::FORBIDDEN),
            Self::Nobody { login } => {
                let keystone = login.as_ref().map(|login| format!("Keystone uri=\"{login}\""));
                Refusal::unauthorized([realm(account)].into_iter().chain(keystone))
            }
            Self::TempUrl(..) => Refusal::unauthorized([realm(account)]),
        }
    }
}

/// Swift's own challenge.
pub(super) fn realm(account: &str) -> String {
    format!("Swift realm=\"{}\"", super::quoted(account))
}

/// Roles that make the bearer of a project's token the owner of its account.
const OPERATORS: &[&str] = &["admin", "member", "swiftoperator"];

fn owns(bearer: &Bearer, account: &str) -> bool {
    let is_theirs = bearer.project_id.as_deref().is_some_and(|id| account.strip_prefix("AUTH_") == Some(id));
    has_role(bearer, &["admin"]) || (is_theirs && has_role(bearer, OPERATORS))
}

fn has_role(bearer: &Bearer, roles: &[&str]) -> bool {
    bearer.roles.iter().any(|role| roles.iter().any(|one| role.eq_ignore_ascii_case(one)))
}

/// `.r:*`, `.r:.example.com` and such; the last that fits decides.
fn referrer_allowed(entries: &[&str], headers: &HeaderMap) -> bool {
    let referrer = joined(headers, "referer");
    let referrer = referrer.as_ref().and_then(|value| value.to_str().ok());
    let host = referrer.and_then(|text| text.parse::<http::Uri>().ok()?.host().map(str::to_owned));
    let host = host.unwrap_or_else(|| "unknown".to_owned());
    let fits = |pattern: &str| pattern == host || (pattern.starts_with('.') && host.ends_with(pattern));
    entries.iter().filter_map(|entry| entry.strip_prefix(".r:")).fold(false, |allowed, pattern| match pattern
        .strip_prefix('-')
    {
        Some(pattern) => allowed && !fits(pattern),
        None => allowed || pattern == "*" || fits(pattern),
    })
}

/// An access list in its clean form; `is_write` says which of the two it is.
pub(super) fn clean(list: &str, is_write: bool) -> Result<String, String> {
    let mut cleaned = Vec::new();
    for raw in list.split(',').map(str::trim).filter(|raw| !raw.is_empty()) {
        let (first, second) = match raw.split_once(':') {
            Some((first, second)) if first.trim().starts_with('.') => (first.trim(), second.trim()),
            _ => {
                cleaned.push(raw.to_owned());
                continue;
            }
        };
        if ![".r", ".ref", ".referer", ".referrer"].contains(&first) {
            return Err(format!("Unknown designator '{first}' in ACL: '{raw}'"));
        }
        if is_write {
            return Err(format!("Referrers not allowed in write ACL: '{raw}'"));
        }
        let (sign, host) = second.strip_prefix('-').map_or(("", second), |host| ("-", host.trim()));
        let host = if host == "*" { host } else { host.strip_prefix('*').unwrap_or(host).trim() };
        if host.is_empty() || host == "." {
            return Err(format!("No host/domain value after referrer designation in ACL: '{raw}'"));
        }
        cleaned.push(format!(".r:{sign}{host}"));
    }
    Ok(cleaned.join(","))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn bearer(project: &str, role: &str) -> Caller {
        Caller::Bearer(Bearer {
            user_id: "u".into(),
            project_id: Some(project.into()),
            roles: vec![role.into()],
        })
    }

    #[test]
    fn accounts_are_their_projects_and_lists_let_others_in() {
        let nobody = Caller::Nobody { login: None };
        let temporary = Caller::TempUrl("AUTH_p".into(), Some("c".into()));
        for (caller, list, act, expected) in [
            (&bearer("p", "member"), None, Act::Write, Ok(Entry::Owner)),
            (&bearer("p", "reader"), None, Act::Object, Err(403)),
            (&bearer("q", "member"), None, Act::Object, Err(403)),
            (&bearer("q", "admin"), None, Act::Write, Ok(Entry::Owner)),
            (&bearer("q", "member"), Some("q:u"), Act::Write, Ok(Entry::Guest)),
            (&bearer("q", "member"), Some("x,*:u"), Act::Listing, Ok(Entry::Guest)),
            (&bearer("q", "member"), Some("q:v"), Act::Object, Err(403)),
            (&bearer("q", "guest"), Some("guest"), Act::Object, Ok(Entry::Guest)),
            (&nobody, None, Act::Object, Err(401)),
            (&nobody, Some(".r:*"), Act::Object, Ok(Entry::Guest)),
            (&nobody, Some(".r:*"), Act::Listing, Err(401)),
            (&nobody, Some(".r:*,.rlistings"), Act::Listing, Ok(Entry::Guest)),
            (&nobody, Some(".r:*,.rlistings"), Act::Write, Err(401)),
            (&nobody, Some(".r:.example.com"), Act::Object, Ok(Entry::Guest)),
            (&nobody, Some(".r:*,.r:-.example.com"), Act::Object, Err(401)),
            (&nobody, Some("*:*"), Act::Object, Err(401)),
            (&temporary, None, Act::Write, Ok(Entry::Guest)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("referer", HeaderValue::from_static("http://www.example.com/x"));
            let entry = caller.enter("AUTH_p", Some("c"), act, list, &headers);
            let entry = entry.map_err(|refusal| refusal.status.as_u16());
            assert_eq!(entry, expected, "{caller:?} {list:?} {act:?}");
        }
        assert!(temporary.enter("AUTH_p", Some("d"), Act::Object, None, &HeaderMap::new()).is_err());
    }

    #[test]
    fn lists_are_cleaned() {
        for (list, expected) in [
            ("bob, sue,,", Ok("bob,sue")),
            (" .referrer: * , .rlistings", Ok(".r:*,.rlistings")),
            (".ref:*.example.com", Ok(".r:.example.com")),
            (".r:-x", Ok(".r:-x")),
            ("p:u", Ok("p:u")),
            (".rw:*", Err("Unknown designator '.rw' in ACL: '.rw:*'")),
            (".r:", Err("No host/domain value after referrer designation in ACL: '.r:'")),
        ] {
            let said = clean(list, false);
            assert_eq!(said.as_deref().map_err(String::as_str), expected, "{list}");
        }
        assert_eq!(clean(".r:*", true), Err("Referrers not allowed in write ACL: '.r:*'".to_owned()));
    }
}
