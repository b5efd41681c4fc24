//! A fake Keystone: issues numbered tokens, counts, can refuse, delay, fail.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::http::{fields, try_read_head};

/// How one login is answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The next token.
    Token,
    /// This status, with these fields, each ending in CRLF.
    Status(u16, &'static str),
    /// The next token, after so long.
    Late(Duration),
    /// These bytes, then the end.
    Raw(&'static str),
    /// The next token, without a catalog.
    NoCatalog,
}

/// The fake Keystone.
#[derive(Clone, Debug)]
pub(crate) struct Keystone {
    pub url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    catalog: Value,
    lifetime: Duration,
    answers: VecDeque<Answer>,
    otherwise: Answer,
    logins: Vec<Value>,
    /// Method and path of everything else, and which token was meant.
    asked: Vec<(String, String)>,
    /// Tokens that are not taken any more.
    revoked: HashSet<String>,
    /// Fields that the tokens' descriptions lack.
    left_out: Vec<&'static str>,
    is_of_a_credential: bool,
    issued: u32,
}

impl Keystone {
    /// With an hour of life for each token.
    pub(crate) async fn start(catalog: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v3", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            catalog,
            lifetime: Duration::from_secs(3600),
            answers: VecDeque::new(),
            otherwise: Answer::Token,
            logins: Vec::new(),
            asked: Vec::new(),
            revoked: HashSet::new(),
            left_out: Vec::new(),
            is_of_a_credential: false,
            issued: 0,
        }));
        let keystone = Self { url, state };
        let accepting = keystone.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        keystone
    }

    /// Life of the tokens from now on.
    pub(crate) fn lifetime(&self, lifetime: Duration) {
        self.state.lock().unwrap().lifetime = lifetime;
    }

    /// The next logins are answered so, in this order; those after them as before.
    pub(crate) fn next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state.lock().unwrap().answers.extend(answers);
    }

    /// All logins from now on are answered so.
    pub(crate) fn always(&self, answer: Answer) {
        self.state.lock().unwrap().otherwise = answer;
    }

    pub(crate) fn catalog(&self, catalog: Value) {
        self.state.lock().unwrap().catalog = catalog;
    }

    /// The bodies of all logins so far.
    pub(crate) fn logins(&self) -> Vec<Value> {
        self.state.lock().unwrap().logins.clone()
    }

    /// Tokens are for no project from now on.
    pub(crate) fn unscoped(&self) {
        self.state.lock().unwrap().left_out = vec!["project"];
    }

    /// Tokens are made from an application credential from now on, which ends on 16 May 2014, as Keystone's
    /// clock counts.
    pub(crate) fn of_a_credential(&self) {
        self.state.lock().unwrap().is_of_a_credential = true;
    }

    /// Revokes every token there is.
    pub(crate) fn revoke_all(&self) {
        let mut state = self.state.lock().unwrap();
        let all: Vec<String> = (1..=state.issued).map(|n| format!("secret-token-{n}")).collect();
        state.revoked.extend(all);
    }

    /// Whether a service would take this token.
    pub(crate) fn takes(&self, token: &str) -> bool {
        !self.state.lock().unwrap().revoked.contains(token)
    }

    /// Tokens that somebody asked to have checked (`HEAD`) or revoked (`DELETE`), in order.
    pub(crate) fn asked(&self, method: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let asked = state.asked.iter().filter(|(by, _)| by == method);
        asked.map(|(_, token)| token.clone()).collect()
    }

    async fn serve(self, mut stream: TcpStream) {
        while let Some(head) = try_read_head(&mut stream).await {
            let length = fields(&head, "content-length").first().map_or(0, |n| n.parse().unwrap());
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            let reply = if head.starts_with("POST /v3/auth/tokens ") {
                let (answer, reply) = self.login(&body);
                if let Answer::Late(delay) = answer {
                    tokio::time::sleep(delay).await;
                }
                reply
            } else if head.contains(" /v3/auth/projects ") {
                json_reply(&json!({ "projects": [{ "id": "p7", "name": "seven", "domain_id": "default" }] }))
            } else if head.contains(" /v3/users/u1/application_credentials/a1 ") {
                json_reply(
                    &json!({ "application_credential": { "expires_at": "2014-05-16T00:00:00.000000" } }),
                )
            } else if head.contains(" /v3/auth/catalog ") {
                let catalog = self.state.lock().unwrap().catalog.clone();
                json_reply(&json!({ "catalog": catalog }))
            } else if head.contains(" /v3/auth/tokens ") {
                self.look_up(&head)
            } else {
                let echo = json!({ "head": head, "body": String::from_utf8_lossy(&body) }).to_string();
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{echo}", echo.len())
            };
            if stream.write_all(reply.as_bytes()).await.is_err() {
                return;
            }
            if !reply.contains("Content-Length") {
                return;
            }
        }
    }

    /// `HEAD` and `DELETE` of a token.
    fn look_up(&self, head: &str) -> String {
        let mut state = self.state.lock().unwrap();
        let method = head.split(' ').next().unwrap().to_owned();
        let token = fields(head, "x-subject-token").first().unwrap_or(&"").to_string();
        state.asked.push((method.clone(), token.clone()));
        let is_good = !state.revoked.contains(&token);
        match &state.otherwise {
            Answer::Status(status, _) if *status >= 500 => {
                return format!("HTTP/1.1 {status} Said So\r\nContent-Length: 0\r\n\r\n");
            }
            _ => {}
        }
        if method == "DELETE" {
            state.revoked.insert(token);
        }
        let status = match (is_good, method.as_str()) {
            (false, _) => "404 Not Found",
            (true, "DELETE") => "204 No Content",
            (true, _) => "200 OK",
        };
        format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")
    }

    fn login(&self, body: &[u8]) -> (Answer, String) {
        let mut state = self.state.lock().unwrap();
        state.logins.push(serde_json::from_slice(body).unwrap());
        let answer = state.answers.pop_front().unwrap_or_else(|| state.otherwise.clone());
        let reply = match &answer {
            Answer::Status(status, fields) => {
                let body = json!({ "error": { "code": status, "message": "said by the fake" } }).to_string();
                format!("HTTP/1.1 {status} Said So\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
            }
            Answer::Raw(bytes) => (*bytes).to_owned(),
            Answer::Token | Answer::Late(_) => state.issue(true),
            Answer::NoCatalog => state.issue(false),
        };
        (answer, reply)
    }
}

fn json_reply(body: &Value) -> String {
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

impl State {
    fn issue(&mut self, with_catalog: bool) -> String {
        self.issued += 1;
        // Keystone's own time is nobody's business: it is ten years off here.
        let issued_at = Timestamp::from_second(1_400_000_000 + i64::from(self.issued)).unwrap();
        let expires_at = issued_at + SignedDuration::try_from(self.lifetime).unwrap();
        let mut token = json!({
            "methods": ["password"],
            "user": { "id": "u1", "name": "demo", "domain": { "id": "default", "name": "Default" },
                      "password_expires_at": null },
            "project": { "id": "p1", "name": "demo", "domain": { "id": "default", "name": "Default" } },
            "roles": [{ "id": "r1", "name": "member" }],
            "issued_at": issued_at.to_string(),
            "expires_at": expires_at.to_string(),
        });
        for field in &self.left_out {
            token.as_object_mut().unwrap().remove(*field);
        }
        if self.is_of_a_credential {
            token["application_credential"] = json!({ "id": "a1", "name": "ci" });
        }
        if with_catalog {
            token["catalog"] = self.catalog.clone();
        }
        let body = json!({ "token": token }).to_string();
        format!(
            "HTTP/1.1 201 Created\r\nX-Subject-Token: secret-token-{}\r\nContent-Length: {}\r\n\r\n{body}",
            self.issued,
            body.len()
        )
    }
}
