//! Accounts: one for each project, there from the first time that something is put into it.

use http::header::ACCEPT_RANGES;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::super::people::DOMAIN;
use super::super::reply::{Reply, full};
use super::Ask;
use super::download::set;
use super::listing::{Entry, Page};
use super::metadata;
use super::refusal::{Refusal, as_html, explain};
use super::render::{Format, Kind, Line, Member};
use super::stamp::Stamp;
use super::state::{Account, share};

const METHODS: &str = "GET, DELETE, OPTIONS, HEAD, PUT, POST";

/// Answers a request for an account.
pub(super) fn answer(ask: &Ask, account: &str) -> Result<Reply, Refusal> {
    match ask.method {
        Method::GET | Method::HEAD => show(ask, account),
        Method::POST => change(ask, account, StatusCode::NO_CONTENT),
        Method::PUT => {
            let is_new = ask.inner.store().account(account).is_none();
            change(ask, account, if is_new { StatusCode::CREATED } else { StatusCode::ACCEPTED })
        }
        Method::DELETE => delete(ask, account),
        Method::OPTIONS => Ok(options(METHODS)),
        _ => Err(Refusal::method(METHODS)),
    }
}

/// Says what can be asked for.
pub(super) fn options(methods: &'static str) -> Reply {
    let mut reply = done(StatusCode::OK);
    reply.headers_mut().insert("allow", HeaderValue::from_static(methods));
    reply
}

/// A reply that has its status to say.
pub(super) fn done(status: StatusCode) -> Reply {
    explain(status)
}

fn show(ask: &Ask, name: &str) -> Result<Reply, Refusal> {
    let format = Format::wanted(&ask.query, &ask.headers)?;
    ask.enter_as_owner(name)?;
    let page = Page::read(&ask.query, false)?;
    let store = ask.inner.store();
    let account = store.account(name);
    let fields = fields(account, ask.inner.now());
    if ask.method == Method::HEAD {
        // As Swift makes up an account that is not there.
        let mut reply = done(if account.is_some() { StatusCode::NO_CONTENT } else { StatusCode::OK });
        *reply.body_mut() = full("");
        reply.headers_mut().extend(fields);
        format.describe(reply.headers_mut());
        return Ok(reply);
    }
    let lines: Vec<Line> = account.map_or_else(Vec::new, |account| lines(account, &page));
    drop(store);
    let mut reply = format.reply(Kind::Account, name, &lines);
    reply.headers_mut().extend(fields);
    Ok(reply)
}

fn lines(account: &Account, page: &Page) -> Vec<Line> {
    let line = |entry: Entry<'_, super::state::Container>| match entry {
        Entry::Subdir(name) => Line::Subdir(name),
        Entry::Item(name, container) => {
            let members = vec![
                ("name", Member::Text(name.to_owned())),
                ("count", Member::Number(container.objects.len() as u64)),
                ("bytes", Member::Number(container.bytes)),
                ("last_modified", Member::Text(container.changed.iso())),
                ("storage_policy", Member::Text(container.policy.to_owned())),
            ];
            Line::Item(name.to_owned(), members)
        }
    };
    page.entries(&account.containers).into_iter().map(line).collect()
}

fn fields(account: Option<&Account>, now: Stamp) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut put = |name: &str, value: &str| {
        if let Ok(name) = HeaderName::try_from(name.to_ascii_lowercase()) {
            set(&mut headers, name, value);
        }
    };
    let (containers, objects, bytes) = account.map_or((0, 0, 0), |account| account.sums(None));
    put("x-account-container-count", &containers.to_string());
    put("x-account-object-count", &objects.to_string());
    put("x-account-bytes-used", &bytes.to_string());
    let Some(account) = account else {
        put("x-timestamp", &now.to_string());
        put("x-put-timestamp", &now.to_string());
        return headers;
    };
    put("x-timestamp", &account.made.to_string());
    put("x-account-project-domain-id", DOMAIN.0);
    for policy in &account.policies {
        let (containers, objects, bytes) = account.sums(Some(policy));
        let name = |what| format!("x-account-storage-policy-{policy}-{what}");
        put(&name("container-count"), &containers.to_string());
        put(&name("object-count"), &objects.to_string());
        put(&name("bytes-used"), &bytes.to_string());
    }
    for (name, value) in &account.fields {
        if let Ok(name) = HeaderName::try_from(name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers
}

fn change(ask: &Ask, name: &str, status: StatusCode) -> Result<Reply, Refusal> {
    ask.enter_as_owner(name)?;
    metadata::check(&ask.headers, "account")?;
    let now = ask.inner.now();
    let mut store = ask.inner.store();
    let account = store.make_account(name, now, &ask.inner.room)?;
    let mut fields = account.fields.clone();
    metadata::change(&mut fields, &ask.headers, "x-account-meta-", &[]);
    bounded(&fields, "x-account-meta-")?;
    account.share = share(&ask.inner.room, name, &fields)?;
    account.fields = fields;
    drop(store);
    let mut reply = done(status);
    as_html(&mut reply);
    Ok(reply)
}

/// Metadata gathers over several requests, so all of it has a bound too.
pub(super) fn bounded(fields: &super::state::Fields, prefix: &str) -> Result<(), Refusal> {
    let metadata = || fields.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
    let wrong = |text: String| Err(Refusal::plain(StatusCode::BAD_REQUEST, text));
    if metadata().count() > metadata::MOST_FIELDS {
        return wrong(format!("Too many metadata items; max {}", metadata::MOST_FIELDS));
    }
    if metadata().map(|(name, value)| name.len() + value.len()).sum::<usize>() > metadata::MOST_BYTES {
        return wrong(format!("Total metadata too large; max {}", metadata::MOST_BYTES));
    }
    Ok(())
}

/// For administrators; nobody deletes their own account.
fn delete(ask: &Ask, name: &str) -> Result<Reply, Refusal> {
    ask.enter_as_owner(name)?;
    if !ask.caller.is_admin() {
        return Err(Refusal::of(StatusCode::FORBIDDEN));
    }
    let was_there = ask.inner.store().remove_account(name);
    if was_there { Ok(done(StatusCode::NO_CONTENT)) } else { Err(Refusal::of(StatusCode::NOT_FOUND)) }
}
