//! What must hold of Keystone's answer to a login, whatever answers in its stead.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Map, Value};

use super::issuer::Login;
use super::keystone::{keystone_message, retry_after};
use super::protocol::TokenBody;
use super::snapshot::{Life, Token};
use crate::catalog::{Catalog, EndpointUrl, Interface};
use crate::clock::Clock;
use crate::oracles;
use crate::routing::{self, Build, Preferences, RouteTable};

/// Reads an answer: fields, a line each, an empty line, and the body.
pub(crate) fn identity(data: &[u8]) {
    let end = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((&data[..0], data), |end| (&data[..end], &data[end + 2..]));
    let headers = oracles::headers(head);
    if let Some(wait) = retry_after(&headers) {
        let seconds = headers["retry-after"].to_str().ok().and_then(|text| text.trim().parse::<u64>().ok());
        assert!(wait <= LONGEST_WAIT);
        assert!(seconds.is_none_or(|seconds| wait == Duration::from_secs(seconds).min(LONGEST_WAIT)));
    }
    let token = headers.get("x-subject-token").cloned().unwrap_or(HeaderValue::from_static("gAAAA-token"));
    let raw = read(&token, body);
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    // Each name once, so that there is one way to read it.
    let plain = value.to_string();
    let login = read(&token, plain.as_bytes());
    if let (Ok(raw), Ok(login)) = (&raw, &login) {
        assert_eq!(format!("{:?}", raw.body), format!("{:?}", login.body));
        assert_eq!(raw.lifetime, login.lifetime);
    }
    message(&value, plain.as_bytes());
    if !has_lists_for_objects(&value) {
        judge(&value, login);
    }
    catalog(value.pointer("/token/catalog").unwrap_or(&Value::Null));
}

/// Nothing of the answer is in an error, nor the token in what is shown.
fn read(token: &HeaderValue, body: &[u8]) -> Result<Login, String> {
    let login = Login::read(Token::new(token.clone()), Clock::system().now(), Bytes::copy_from_slice(body));
    match &login {
        Ok(login) => {
            let token = String::from_utf8_lossy(token.as_bytes()).into_owned();
            if token.len() > 5 && !String::from_utf8_lossy(body).contains(&token) {
                assert!(!format!("{:?}", (&login.token, &login.body)).contains(&token));
            }
            for jitter in [-1.0, 0.0, 1.0] {
                lives(login, jitter);
            }
        }
        Err(error) => {
            let words: String = error.chars().filter(|c| !c.is_ascii_digit()).collect();
            assert!(ERRORS.contains(&words.as_str()), "{error}");
        }
    }
    login
}

/// Design 4: refreshed at two thirds give or take 5 %, and with 120 s left of what lives more than 6 minutes.
fn lives(login: &Login, jitter: f64) {
    let life = Life::new(login.sent, login.lifetime, jitter);
    assert_eq!(life.expires, login.sent.plus(login.lifetime));
    let after = life.refresh_at.remaining(login.sent).as_secs_f64();
    let lifetime = login.lifetime.as_secs_f64();
    let latest = if lifetime > 360.0 { lifetime - 120.0 } else { lifetime };
    assert!(after <= latest + 1e-3, "{after} of {lifetime}");
    assert!(after >= (lifetime * 0.6166).min(latest) - 1e-3, "{after} of {lifetime}");
}

/// Keystone's own words: short, on one line, and its.
fn message(value: &Value, plain: &[u8]) {
    let message = keystone_message(&Bytes::copy_from_slice(plain));
    assert!(message.chars().count() <= 300 && !message.chars().any(char::is_control), "{message:?}");
    if has_lists_for_objects(value) || value.get("error").is_some_and(Value::is_array) {
        return;
    }
    match value.pointer("/error/message").and_then(Value::as_str).filter(|it| !it.is_empty()) {
        Some(said) => {
            let same = |(said, shown): (char, char)| said == shown || said.is_control() && shown == ' ';
            assert!(said.chars().zip(message.chars()).all(same), "{said:?} is shown as {message:?}");
            assert_eq!(message.chars().count(), said.chars().count().min(300));
        }
        None => assert_eq!(message, "it gave no reason"),
    }
}

/// It is read if every field is of its kind, and to what it says.
fn judge(value: &Value, login: Result<Login, String>) {
    let expected = value.get("token").and_then(Value::as_object).and_then(understood);
    let times = ["issued_at", "expires_at"].map(|name| value.pointer(&format!("/token/{name}")));
    let times = times.map(|time| time.and_then(Value::as_str));
    let lifetime = match times {
        [Some(issued), Some(expires)] => match (seconds(issued), seconds(expires)) {
            (Some(issued), Some(expires)) => {
                Some(Duration::try_from_secs_f64(expires - issued).unwrap_or_default())
            }
            // Written in a way that this knows nothing of.
            _ => None,
        },
        [Some(_), None] => None,
        [None, _] => Some(Duration::from_secs(3600)),
    };
    match (login, expected) {
        (Ok(login), Some(expected)) => {
            assert_eq!(login.body.user.id, expected.user);
            assert_eq!(login.body.user.name, expected.user_name);
            assert_eq!(login.body.project.as_ref().map(|it| &it.id), expected.project.as_ref());
            assert_eq!(login.body.roles.len(), expected.roles);
            if let Some(lifetime) = lifetime {
                let apart = login.lifetime.abs_diff(lifetime);
                assert!(apart < Duration::from_millis(1), "{:?} is not {lifetime:?}", login.lifetime);
            }
            let TokenBody { domain, application_credential, .. } = &login.body;
            let has = |name| value.pointer(&format!("/token/{name}")).is_some_and(|it| !it.is_null());
            let seen = (domain.is_some(), application_credential.is_some());
            assert_eq!(seen, (has("domain"), has("application_credential")));
        }
        (Err(error), Some(_)) => assert!(lifetime.is_none(), "{error}: {value}"),
        (Ok(_), None) => panic!("it is read: {value}"),
        (Err(_), None) => {}
    }
}

struct Expected {
    user: String,
    user_name: String,
    project: Option<String>,
    roles: usize,
}

/// The fields by hand: `None` where one is missing or of another kind.
fn understood(token: &Map<String, Value>) -> Option<Expected> {
    text(token, "issued_at")?;
    text(token, "expires_at")?;
    let user = token.get("user")?.as_object()?;
    let (user_id, user_name) = named(user)?;
    text(user, "password_expires_at")?;
    optional(user, "domain", named)?;
    let project = optional(token, "project", |project| {
        text(project, "domain_id")?;
        optional(project, "domain", named)?;
        named(project)
    })?;
    optional(token, "domain", named)?;
    optional(token, "application_credential", named)?;
    let roles = match token.get("roles") {
        None => 0,
        Some(roles) => {
            let roles = roles.as_array()?;
            roles.iter().map(|role| role.as_object().and_then(named)).collect::<Option<Vec<_>>>()?.len()
        }
    };
    if !matches!(token.get("catalog"), None | Some(Value::Null | Value::Array(_))) {
        return None;
    }
    Some(Expected { user: user_id, user_name, project: project.map(|(id, _)| id), roles })
}

fn named(fields: &Map<String, Value>) -> Option<(String, String)> {
    let id = fields.get("id")?.as_str()?;
    let name = fields.get("name").map_or(Some(""), Value::as_str)?;
    Some((id.to_owned(), name.to_owned()))
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<Option<&'a str>> {
    match fields.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(value) => value.as_str().map(Some),
    }
}

fn optional<T>(
    fields: &Map<String, Value>,
    name: &str,
    read: impl Fn(&Map<String, Value>) -> Option<T>,
) -> Option<Option<T>> {
    match fields.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(value) => read(value.as_object()?).map(Some),
    }
}

/// serde reads an object's fields from a list as well; nobody sends that, and nothing is said of it.
fn has_lists_for_objects(value: &Value) -> bool {
    let is_list = |path: &str| value.pointer(path).is_some_and(Value::is_array);
    let places =
        ["", "/token", "/token/user", "/token/user/domain", "/token/project", "/token/project/domain"];
    let roles = value.pointer("/token/roles").and_then(Value::as_array);
    places.iter().any(|place| is_list(place))
        || is_list("/token/domain")
        || is_list("/token/application_credential")
        || roles.is_some_and(|roles| roles.iter().any(Value::is_array))
}

/// Seconds since 1970 of `YYYY-MM-DDTHH:MM:SS`, perhaps with a fraction and `Z`; `None` of all else, which may be a time too.
fn seconds(text: &str) -> Option<f64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once('T')?;
    let digits = |text: &str, length: usize| {
        (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<i64>().ok())?
    };
    let (date, time): (Vec<&str>, Vec<&str>) = (date.split('-').collect(), time.split(':').collect());
    let ([year, month, day], [hour, minute, second]) = (&date[..], &time[..]) else { return None };
    let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |month: i64| match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_time = (1..=9998).contains(&year)
        && (1..=12).contains(&month)
        && (1..=length(month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && (1..=9).contains(&fraction.len());
    let days = (year - 1) * 365 + (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let days = days + (1..month).map(length).sum::<i64>() + day - 1 - 719_162;
    let whole = days * 86_400 + hour * 3600 + minute * 60 + second;
    #[expect(clippy::cast_precision_loss, reason = "seconds of some thousand years fit")]
    let whole = whole as f64;
    digits(fraction, fraction.len())?;
    is_time.then_some(whole + format!("0.{fraction}").parse::<f64>().ok()?)
}

/// Every entry is used or listed, in order, and what is published leads where it should.
fn catalog(value: &Value) {
    let Ok(wire) = serde_json::from_value(value.clone()) else {
        assert!(!value.is_array(), "a catalog is not read: {value}");
        return;
    };
    let catalog = Catalog::from_wire(wire);
    let (mut used, mut skipped) = (catalog.endpoints.iter(), catalog.skipped.iter());
    for service in value.as_array().into_iter().flatten() {
        let text = |fields: &Value, name: &str| match fields.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let Some(service_type) = text(service, "type").filter(|it| !it.is_empty()) else {
            assert!(skipped.next().is_some_and(|it| it.service_type.is_none()), "{service}");
            continue;
        };
        for endpoint in service.get("endpoints").and_then(Value::as_array).into_iter().flatten() {
            let url = text(endpoint, "url").and_then(|url| EndpointUrl::parse(&url).ok());
            let interface = text(endpoint, "interface").and_then(|it| it.parse::<Interface>().ok());
            let (Some(url), Some(interface)) = (url, interface) else {
                let listed = skipped.next();
                assert!(
                    listed.is_some_and(|it| it.service_type.as_ref() == Some(&service_type)),
                    "{endpoint}"
                );
                continue;
            };
            let Some(seen) = used.next() else { panic!("{endpoint} is not used") };
            assert_eq!((&seen.service_type, &seen.url, seen.interface), (&service_type, &url, interface));
            assert_eq!(EndpointUrl::parse(&url.to_string()).as_ref(), Ok(&url));
            let region = ["region_id", "region"].iter().filter_map(|name| text(endpoint, name));
            let region = region.into_iter().find(|id| !id.is_empty()).filter(|id| id != "*");
            assert_eq!(seen.region.as_ref().map(|region| &region.0), region.as_ref(), "{endpoint}");
        }
    }
    assert!(used.next().is_none() && skipped.next().is_none());
    let Ok(auth_url) = EndpointUrl::parse("http://keystone:5000/v3") else { return };
    let table = RouteTable::build(Build {
        catalog: &catalog,
        auth_url: Some(&auth_url),
        preferences: &Preferences { interfaces: vec![Interface::Public], ..Preferences::default() },
        project_id: Some("p"),
        user_id: Some("u"),
        project_scoped: true,
        previous: None,
    });
    for route in table.routes().iter().take(8) {
        routing::oracle::published(&table, route, "/x/v2?y");
    }
}

const LONGEST_WAIT: Duration = Duration::from_secs(900);

/// All that can be wrong with a body, without its numbers.
const ERRORS: [&str; 3] = [
    "not the expected JSON at line , column ",
    "issued_at is not a time of RFC ",
    "expires_at is not a time of RFC ",
];
