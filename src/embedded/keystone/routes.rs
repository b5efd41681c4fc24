//! Which path does what in Keystone, and how it says no.

use http::header::{ACCEPT, ALLOW, AUTHORIZATION, CONTENT_TYPE, HOST, LOCATION, VARY, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::login::{Login, METHODS, NoLogin};
use super::receipts::Receipt;
use super::state::{Credential, Held, Issued, Refusal, random_id, random_text};
use super::{Keystone, describe};
use crate::body::read_limited;
use crate::embedded::people::{self, PROJECTS, User};
use crate::embedded::reply::{self, Reply};

/// Why a request is not done.
#[derive(Debug)]
enum No {
    /// 400, with what is wrong.
    Malformed(String),
    /// 401.
    Unauthorized,
    /// 401, with the receipt for a part of a login.
    Incomplete(Box<(String, Receipt)>),
    /// 401, with a word of its own and what else there is in `identity`.
    Unproven(&'static str, Value),
    /// 403, and the rule that forbids it.
    Forbidden(String),
    /// 404, with a word about what is not there.
    Unknown(String),
    /// 404 for a path that leads nowhere.
    Lost,
    /// 405, with what may be asked.
    Method(&'static str),
    /// 409.
    Conflict(String),
    /// 413.
    TooLarge,
}

impl From<NoLogin> for No {
    fn from(no: NoLogin) -> Self {
        match no {
            NoLogin::Malformed(what) => Self::Malformed(what),
            NoLogin::NoProof => Self::Unauthorized,
            NoLogin::UnsupportedMethod => Self::Unproven(
                "Attempted to authenticate with an unsupported method.",
                json!({ "methods": METHODS }),
            ),
        }
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unauthorized => Self::Unauthorized,
            Refusal::Incomplete(given) => Self::Incomplete(given),
            Refusal::ScopedCredential => Self::Unproven(
                "Error authenticating with application credential: Application credentials cannot request a scope.",
                json!({}),
            ),
            Refusal::Delegated => {
                Self::Forbidden("Using a delegated token to create another token is not allowed".to_owned())
            }
            Refusal::UnknownToken => Self::Unknown("Could not recognize Fernet token".to_owned()),
            Refusal::UnknownCredential(id) => {
                Self::Unknown(format!("Could not find Application Credential: {id}."))
            }
        }
    }
}

/// One request, as the answers need it.
struct Call<'a> {
    keystone: &'a Keystone,
    head: Parts,
    /// What stands before the version in the path.
    mount: &'a str,
    now: Timestamp,
    /// `http://host:port` and `mount`.
    root: String,
}

impl Keystone {
    /// Answers one request to the address where it is below `mount`.
    pub(super) async fn respond(&self, request: Request<Incoming>, mount: &str) -> Reply {
        let (head, body) = request.into_parts();
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let root = format!("http://{host}{mount}");
        let Ok(body) = read_limited(body, LONGEST_BODY_BYTES).await else {
            return finish(refuse(&No::TooLarge, &root));
        };
        let call = Call { keystone: self, head, mount, now: self.time.now(), root };
        let reply = call.answer(&body).unwrap_or_else(|no| refuse(&no, &call.root));
        finish(reply)
    }
}

impl Call<'_> {
    fn answer(&self, body: &[u8]) -> Result<Reply, No> {
        let path = self.head.uri.path().strip_prefix(self.mount).ok_or(No::Lost)?;
        let path = path.trim_end_matches('/').to_owned();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match segments.as_slice() {
            [] => {
                let versions = json!({ "versions": { "values": [describe::version(&self.root)] } });
                let mut reply = reply::json(StatusCode::MULTIPLE_CHOICES, &versions);
                set(&mut reply, LOCATION, &format!("{}/v3/", self.root));
                Ok(reply)
            }
            ["v3"] => Ok(self.version()),
            ["v3", "auth", "tokens"] => self.tokens(body),
            ["v3", "auth", what] => self.only_get().and_then(|()| self.held(what)),
            ["v3", "OS-FEDERATION", "identity_providers", provider, "protocols", protocol, "auth"] => {
                self.federated(provider, protocol)
            }
            ["v3", "users", id, "password"] => self.change_password(id, body),
            ["v3", "users", id, "application_credentials"] => self.credentials(id, body),
            ["v3", "users", id, "application_credentials", credential] => self.credential(id, credential),
            ["v3", rest @ ..] => self.directory(rest),
            _ => Err(No::Lost),
        }
    }

    fn version(&self) -> Reply {
        let accept = self.head.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("");
        if accept.contains("application/json-home") {
            return reply::typed(StatusCode::OK, "application/json-home", describe::json_home().to_string());
        }
        reply::json(StatusCode::OK, &json!({ "version": describe::version(&self.root) }))
    }

    fn tokens(&self, body: &[u8]) -> Result<Reply, No> {
        match self.head.method {
            Method::POST => self.log_in(body),
            Method::GET | Method::HEAD => {
                let issued = self.subject("identity:validate_token")?;
                let mut reply = reply::json(StatusCode::OK, &self.describe(&issued));
                let subject = self.field("x-subject-token").unwrap_or_default();
                set(&mut reply, HeaderName::from_static("x-subject-token"), subject);
                Ok(reply)
            }
            Method::DELETE => {
                self.subject("identity:revoke_token")?;
                let token = self.field("x-subject-token").unwrap_or_default();
                self.keystone.state().revoke(token, self.now);
                Ok(reply::empty(StatusCode::NO_CONTENT))
            }
            Method::OPTIONS => {
                let mut reply = reply::typed(StatusCode::OK, "text/html; charset=utf-8", "");
                set(&mut reply, ALLOW, TOKEN_METHODS);
                Ok(reply)
            }
            _ => Err(No::Method(TOKEN_METHODS)),
        }
    }

    fn log_in(&self, body: &[u8]) -> Result<Reply, No> {
        let length = body.len();
        let body = self.json(body)?;
        self.keystone.noted().login_asked(&body, length);
        let login = Login::parse(&body)?;
        let (token, issued) = self.keystone.state().log_in(&login, self.field(RECEIPT.as_str()), self.now)?;
        self.keystone.noted().logged_in(&token);
        let mut reply = reply::json(StatusCode::CREATED, &self.describe(&issued));
        set(&mut reply, HeaderName::from_static("x-subject-token"), &token);
        Ok(reply)
    }

    /// What mod_auth_openidc does before a real one: the provider's token says who it is.
    fn federated(&self, provider: &str, protocol: &str) -> Result<Reply, No> {
        if (provider, protocol) != PROVIDER {
            return Err(No::Unknown(format!(
                "Could not find federated protocol {protocol} for Identity Provider: {provider}."
            )));
        }
        let bearer = self.field(AUTHORIZATION.as_str()).and_then(|field| field.strip_prefix("Bearer "));
        let (token, issued) = self.keystone.state().federated(bearer.ok_or(No::Unauthorized)?, self.now)?;
        self.keystone.noted().logged_in(&token);
        let mut reply = reply::json(StatusCode::CREATED, &self.describe(&issued));
        set(&mut reply, HeaderName::from_static("x-subject-token"), &token);
        Ok(reply)
    }

    /// `{"token": ..}`, with a catalog where there is one and it is wanted.
    fn describe(&self, issued: &Issued) -> Value {
        let end = self.keystone.state().password_ends.get(issued.user.id).copied();
        let mut token = describe::token(issued, end);
        let wants_catalog = !self.head.uri.query().is_some_and(|query| query.contains("nocatalog"));
        if wants_catalog && !matches!(issued.held, Held::Nothing) {
            token["catalog"] = self.keystone.catalog(issued.held);
        }
        json!({ "token": token })
    }

    /// The token that the call is about, of a caller who may ask.
    fn subject(&self, rule: &str) -> Result<Issued, No> {
        let subject = self.field("x-subject-token");
        if let Some(subject) = subject {
            self.keystone.noted().asked_about(&self.head.method, subject);
        }
        let caller = self.caller()?;
        let subject = subject.ok_or_else(|| No::Forbidden(rule.to_owned()))?;
        let state = self.keystone.state();
        let issued = state.token(subject, self.now).cloned();
        let issued = issued.ok_or_else(|| No::Unknown("Could not recognize Fernet token".to_owned()))?;
        if caller.user.id != issued.user.id && !caller.user.is_admin {
            return Err(No::Forbidden(rule.to_owned()));
        }
        Ok(issued)
    }

    fn held(&self, what: &str) -> Result<Reply, No> {
        let caller = self.caller()?;
        let (user, base) = (caller.user, format!("{}/v3", self.root));
        let url = format!("{base}/auth/{what}");
        let body = match what {
            "projects" => {
                let projects: Vec<Value> =
                    user.projects().map(|project| describe::project(project, &base)).collect();
                describe::list(what, &projects, &url)
            }
            "domains" => {
                let domains = if user.is_admin { vec![describe::domain(&base)] } else { Vec::new() };
                describe::list(what, &domains, &url)
            }
            "system" => {
                let system = if user.is_admin { json!([{ "all": true }]) } else { json!([]) };
                json!({ "system": system, "links": { "self": url } })
            }
            "catalog" if matches!(caller.held, Held::Nothing) => {
                return Err(No::Forbidden("identity:get_auth_catalog".to_owned()));
            }
            "catalog" => json!({ "catalog": self.keystone.catalog(caller.held), "links": { "self": url } }),
            _ => return Err(No::Lost),
        };
        Ok(reply::json(StatusCode::OK, &body))
    }

    /// Lists and single entries that administrators see whole, others as far as they are their own.
    fn directory(&self, path: &[&str]) -> Result<Reply, No> {
        let base = format!("{}/v3", self.root);
        let query = self.head.uri.query().map_or_else(String::new, |query| format!("?{query}"));
        let url = format!("{base}/{}{query}", path.join("/"));
        if !DIRECTORY.contains(&path[0]) {
            return Err(No::Lost);
        }
        if !matches!(self.head.method, Method::GET | Method::HEAD) {
            let allow = if path.len() == 1 {
                "OPTIONS, HEAD, POST, GET"
            } else {
                "OPTIONS, HEAD, PATCH, DELETE, GET"
            };
            return Err(No::Method(allow));
        }
        let caller = self.caller()?;
        let state = self.keystone.state();
        let described = |user: &User| describe::user(user, state.password_ends.get(user.id).copied(), &base);
        let body = match path {
            ["users", id, "projects"] => {
                let user = self.user(&caller, id, "identity:list_user_projects")?;
                let projects: Vec<Value> =
                    user.projects().map(|project| describe::project(project, &base)).collect();
                describe::list("projects", &projects, &url)
            }
            ["users", id] => json!({ "user": described(self.user(&caller, id, "identity:get_user")?) }),
            ["projects", id] => {
                let project = PROJECTS.iter().find(|project| project.id == *id);
                let is_ours = project.is_some_and(|project| !caller.user.roles_on(project).is_empty());
                match project {
                    Some(project) if is_ours || caller.user.is_admin => {
                        json!({ "project": describe::project(project, &base) })
                    }
                    None if caller.user.is_admin => {
                        return Err(No::Unknown(format!("Could not find project: {id}.")));
                    }
                    _ => return Err(No::Forbidden("identity:get_project".to_owned())),
                }
            }
            ["domains", id] if caller.user.is_admin => {
                if *id != people::DOMAIN.0 {
                    return Err(No::Unknown(format!("Could not find domain: {id}.")));
                }
                json!({ "domain": describe::domain(&base) })
            }
            ["domains", _] => return Err(No::Forbidden("identity:get_domain".to_owned())),
            [name] => {
                if !caller.user.is_admin && *name != "regions" {
                    return Err(No::Forbidden(format!("identity:list_{name}")));
                }
                let mut entries: Vec<Value> = match *name {
                    "users" => people::USERS.iter().map(described).collect(),
                    "projects" => PROJECTS.iter().map(|project| describe::project(project, &base)).collect(),
                    "domains" => vec![describe::domain(&base)],
                    "roles" => people::ROLES.iter().map(|(name, _)| describe::role(name, &base)).collect(),
                    _ => describe::of_catalog(name, &self.keystone.catalog(Held::System), &base),
                };
                if let Some(wanted) = self.query("name") {
                    entries.retain(|entry| entry["name"] == wanted);
                }
                describe::list(name, &entries, &url)
            }
            _ => return Err(No::Lost),
        };
        Ok(reply::json(StatusCode::OK, &body))
    }

    fn change_password(&self, id: &str, body: &[u8]) -> Result<Reply, No> {
        if self.head.method != Method::POST {
            return Err(No::Method("OPTIONS, POST"));
        }
        let body = self.json(body)?;
        let text = |name: &str| body["user"][name].as_str().ok_or_else(|| missing(name, "user"));
        let (old, new) = (text("original_password")?, text("password")?);
        let user = people::USERS.iter().find(|user| user.id == id).ok_or(No::Unauthorized)?;
        let mut state = self.keystone.state();
        if !state.has_password(user, old) {
            return Err(No::Unauthorized);
        }
        state.set_password(user, new);
        Ok(reply::empty(StatusCode::NO_CONTENT))
    }

    fn credentials(&self, user_id: &str, body: &[u8]) -> Result<Reply, No> {
        let caller = self.caller()?;
        let base = format!("{}/v3", self.root);
        match self.head.method {
            Method::GET | Method::HEAD => {
                let user = self.user(&caller, user_id, "identity:list_application_credentials")?;
                let state = self.keystone.state();
                let own = state.credentials.iter().filter(|credential| credential.user.id == user.id);
                let wanted = self.query("name");
                let own = own.filter(|credential| wanted.is_none_or(|wanted| credential.name == wanted));
                let own: Vec<Value> = own.map(|credential| describe::credential(credential, &base)).collect();
                let url = format!("{base}/users/{user_id}/application_credentials");
                Ok(reply::json(StatusCode::OK, &describe::list("application_credentials", &own, &url)))
            }
            Method::POST => {
                let rule = "identity:create_application_credential";
                let Held::Project(project) = caller.held else { return Err(No::Forbidden(rule.to_owned())) };
                if caller.user.id != user_id || caller.credential.is_some() {
                    return Err(No::Forbidden(rule.to_owned()));
                }
                let asked = self.json(body)?;
                let asked = &asked["application_credential"];
                let name = asked["name"].as_str().ok_or_else(|| missing("name", "application_credential"))?;
                let expires_at = asked["expires_at"].as_str().map(time).transpose()?;
                if expires_at.is_some_and(|end| end < self.now) {
                    return Err(No::Malformed("The 'expires_at' must not be before now.".to_owned()));
                }
                let roles = asked["roles"].as_array().map(Vec::as_slice).unwrap_or_default();
                let held = describe::role_names(&caller);
                if !roles.iter().all(|role| held.iter().any(|name| describe::is_role(role, name))) {
                    let words = "Invalid application credential: Cannot create an application credential with unassigned role.";
                    return Err(No::Malformed(words.to_owned()));
                }
                let secret = asked["secret"].as_str().map_or_else(|| random_text(86), str::to_owned);
                let mut state = self.keystone.state();
                if state.credentials.iter().any(|known| known.user.id == user_id && known.name == name) {
                    return Err(No::Conflict(format!(
                        "Conflict occurred attempting to store application_credential - Duplicate entry found with name {name}."
                    )));
                }
                if state.credentials.len() >= MOST_CREDENTIALS {
                    return Err(No::Forbidden("application_credential: limit exceeded".to_owned()));
                }
                let credential = Credential {
                    id: random_id(),
                    name: name.to_owned(),
                    secret: secret.clone(),
                    user: caller.user,
                    project,
                    description: asked["description"].as_str().map(str::to_owned),
                    unrestricted: asked["unrestricted"].as_bool(),
                    expires_at,
                };
                let mut described = describe::credential(&credential, &base);
                described["secret"] = json!(secret);
                state.credentials.push(credential);
                Ok(reply::json(StatusCode::CREATED, &json!({ "application_credential": described })))
            }
            _ => Err(No::Method("OPTIONS, HEAD, POST, GET")),
        }
    }

    fn credential(&self, user_id: &str, id: &str) -> Result<Reply, No> {
        let caller = self.caller()?;
        let user = self.user(&caller, user_id, "identity:get_application_credential")?;
        let mut state = self.keystone.state();
        let is_it = |credential: &Credential| credential.id == id && credential.user.id == user.id;
        let index = state.credentials.iter().position(is_it);
        let index = index.ok_or_else(|| Refusal::UnknownCredential(id.to_owned()))?;
        match self.head.method {
            Method::GET | Method::HEAD => {
                let described = describe::credential(&state.credentials[index], &format!("{}/v3", self.root));
                Ok(reply::json(StatusCode::OK, &json!({ "application_credential": described })))
            }
            Method::DELETE => {
                state.credentials.remove(index);
                Ok(reply::empty(StatusCode::NO_CONTENT))
            }
            _ => Err(No::Method("OPTIONS, HEAD, DELETE, GET")),
        }
    }

    /// Whose token the caller has.
    fn caller(&self) -> Result<Issued, No> {
        let token = self.field("x-auth-token").ok_or(No::Unauthorized)?;
        let state = self.keystone.state();
        let issued = state.token(token, self.now).cloned().ok_or(No::Unauthorized)?;
        // keystone/common/render_token.py looks for the credential, and it is not there any more.
        match &issued.credential {
            Some((id, _)) if !state.credentials.iter().any(|known| known.id == *id) => {
                Err(Refusal::UnknownCredential(id.clone()).into())
            }
            _ => Ok(issued),
        }
    }

    /// The user of this id, if it is the caller or the caller an administrator.
    fn user(&self, caller: &Issued, id: &str, rule: &str) -> Result<&'static User, No> {
        if caller.user.id != id && !caller.user.is_admin {
            return Err(No::Forbidden(rule.to_owned()));
        }
        let user = people::USERS.iter().find(|user| user.id == id);
        user.ok_or_else(|| No::Unknown(format!("Could not find user: {id}.")))
    }

    fn only_get(&self) -> Result<(), No> {
        match self.head.method {
            Method::GET | Method::HEAD => Ok(()),
            _ => Err(No::Method("OPTIONS, HEAD, GET")),
        }
    }

    fn json(&self, body: &[u8]) -> Result<Value, No> {
        let media_type = self.head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !media_type.is_some_and(|media_type| media_type.starts_with("application/json")) {
            return Err(missing("application/json", "Content-Type header"));
        }
        serde_json::from_slice(body).map_err(|_| missing("valid JSON", "request body"))
    }

    /// The value of a parameter of the query, as it was written.
    fn query(&self, name: &str) -> Option<&str> {
        let mut pairs = self.head.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

fn missing(what: &str, place: &str) -> No {
    No::Malformed(format!("Expecting to find {what} in {place}."))
}

/// A time without a zone is in UTC.
fn time(text: &str) -> Result<Timestamp, No> {
    let text = text.trim_end_matches('Z');
    format!("{text}Z").parse().map_err(|_| missing("a time", "expires_at"))
}

fn refuse(no: &No, root: &str) -> Reply {
    let error = |status: StatusCode, message: String, identity: Option<&Value>| {
        let mut error =
            json!({ "code": status.as_u16(), "message": message, "title": status.canonical_reason() });
        if let Some(identity) = identity {
            error["identity"] = identity.clone();
        }
        let mut reply = reply::json(status, &json!({ "error": error }));
        if status == StatusCode::UNAUTHORIZED {
            set(&mut reply, WWW_AUTHENTICATE, &format!("Keystone uri=\"{root}/v3\""));
        }
        reply
    };
    match no {
        No::Malformed(what) => error(
            StatusCode::BAD_REQUEST,
            format!(
                "{what} The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error."
            ),
            None,
        ),
        No::Unauthorized => error(
            StatusCode::UNAUTHORIZED,
            "The request you have made requires authentication.".to_owned(),
            None,
        ),
        No::Incomplete(given) => {
            let (id, receipt) = &**given;
            let mut reply = reply::json(StatusCode::UNAUTHORIZED, &describe::receipt(receipt));
            set(&mut reply, RECEIPT, id);
            reply
        }
        No::Unproven(words, identity) => error(StatusCode::UNAUTHORIZED, (*words).to_owned(), Some(identity)),
        No::Forbidden(rule) => error(
            StatusCode::FORBIDDEN,
            format!("You are not authorized to perform the requested action: {rule}."),
            None,
        ),
        No::Unknown(what) => error(StatusCode::NOT_FOUND, what.clone(), None),
        No::Conflict(what) => error(StatusCode::CONFLICT, what.clone(), None),
        No::TooLarge => error(StatusCode::PAYLOAD_TOO_LARGE, "Request is too large.".to_owned(), None),
        No::Lost => reply::typed(StatusCode::NOT_FOUND, "text/html; charset=utf-8", NOT_FOUND),
        No::Method(allow) => {
            let words = json!({ "message": "The method is not allowed for the requested URL." });
            let mut reply = reply::json(StatusCode::METHOD_NOT_ALLOWED, &words);
            set(&mut reply, ALLOW, allow);
            reply
        }
    }
}

/// The one identity provider that is known, and its protocol.
const PROVIDER: (&str, &str) = ("somewhere", "openid");

/// The field of a receipt, both ways.
const RECEIPT: HeaderName = HeaderName::from_static("openstack-auth-receipt");

/// What every answer of Keystone's has.
fn finish(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(VARY, HeaderValue::from_static("X-Auth-Token"));
    let id = random_id();
    let id = format!("req-{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]);
    set(&mut reply, HeaderName::from_static("x-openstack-request-id"), &id);
    reply
}

/// A value that is no field value is left out.
fn set(reply: &mut Reply, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        reply.headers_mut().insert(name, value);
    }
}

const DIRECTORY: [&str; 7] = ["users", "projects", "domains", "roles", "services", "endpoints", "regions"];

const TOKEN_METHODS: &str = "OPTIONS, HEAD, POST, DELETE, GET";

const NOT_FOUND: &str = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>\n";

/// Keystone's own limit (`max_request_body_size`).
const LONGEST_BODY_BYTES: usize = 114_688;

/// Application credentials that are kept.
const MOST_CREDENTIALS: usize = 1000;
