//! The steps of the tour: what each does, and what has to come of it.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use super::Tour;
use crate::commands::demo::curl::{Answer, Curl, CurlError};

/// A step.
pub(super) struct Step {
    pub(super) title: &'static str,
    pub(super) run: for<'a> fn(&'a Tour<'a>) -> Walk<'a>,
}

/// What was seen, in words, or what was not.
type Walk<'a> = Pin<Box<dyn Future<Output = Result<String, StepError>> + 'a>>;

/// Why a step did not hold.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    #[error(transparent)]
    Curl(#[from] CurlError),
    #[error("standard output cannot be written: {0}")]
    Output(#[from] io::Error),
    #[error("expected {expected}, got {got}")]
    Other { expected: String, got: String },
    #[error("the proxy has no token")]
    NoToken,
    #[error("no new token within {0:?}")]
    NotRefreshed(Duration),
}

/// All of them, in order.
pub(super) const STEPS: &[Step] = &[
    Step { title: "An object, without credentials", run: |tour| Box::pin(look(tour)) },
    Step { title: "Upload", run: |tour| Box::pin(upload(tour)) },
    Step { title: "List the container", run: |tour| Box::pin(list(tour)) },
    Step { title: "Download", run: |tour| Box::pin(download(tour)) },
    Step { title: "Another region, by name", run: |tour| Box::pin(region(tour)) },
    Step { title: "Servers, page by page: links lead back to the proxy", run: |tour| Box::pin(pages(tour)) },
    Step { title: "The token is replaced before it ends", run: |tour| Box::pin(refresh(tour)) },
    Step { title: "The token is revoked behind the proxy's back", run: |tour| Box::pin(revoked(tour)) },
    Step { title: "A stock client logs in with any password", run: |tour| Box::pin(login(tour)) },
];

async fn look(tour: &Tour<'_>) -> Result<String, StepError> {
    let curl = Curl::head(tour.url("/object-store/photos/tram.svg"));
    let answer = tour.ask(curl, &["Content-Length", "Content-Type", "Etag"]).await?;
    status(&answer, StatusCode::OK)?;
    let snapshot = tour.snapshot()?;
    let leaks = answer.headers.values().any(|value| value == snapshot.token.header());
    expect(!leaks, "no token in the answer", "one")?;
    Ok("the proxy added the token, and kept it to itself".to_owned())
}

const POEM: &str = "All trams lead to the depot.";

async fn upload(tour: &Tour<'_>) -> Result<String, StepError> {
    let curl =
        Curl::put(tour.url("/object-store/photos/poem.txt"), Some(POEM)).with("Content-Type", "text/plain");
    let answer = tour.ask(curl, &["Etag", "Last-Modified"]).await?;
    status(&answer, StatusCode::CREATED)?;
    Ok(format!("{} bytes are in the object store", POEM.len()))
}

async fn list(tour: &Tour<'_>) -> Result<String, StepError> {
    let answer = tour.ask(Curl::get(tour.url("/object-store/photos")), &["X-Container-Object-Count"]).await?;
    status(&answer, StatusCode::OK)?;
    tour.show(&answer.text())?;
    let names = answer.text();
    expect(names.lines().any(|name| name == "poem.txt"), "poem.txt among the names", &names)?;
    Ok("the upload is listed".to_owned())
}

async fn download(tour: &Tour<'_>) -> Result<String, StepError> {
    let answer = tour.ask(Curl::get(tour.url("/object-store/photos/poem.txt")), &["Content-Length"]).await?;
    status(&answer, StatusCode::OK)?;
    tour.show(&answer.text())?;
    expect(answer.text() == POEM, "the bytes of the upload", &answer.text())?;
    Ok("the same bytes".to_owned())
}

async fn region(tour: &Tour<'_>) -> Result<String, StepError> {
    let path = "/archive/2019/report.txt";
    let answer = tour.ask(Curl::get(tour.url(&format!("/object-store@RegionTwo{path}"))), &[]).await?;
    status(&answer, StatusCode::OK)?;
    tour.show(&answer.text())?;
    let answer = tour.ask(Curl::head(tour.url(&format!("/object-store{path}"))), &[]).await?;
    status(&answer, StatusCode::NOT_FOUND)?;
    Ok("it is there, and not in the region of the listener".to_owned())
}

async fn pages(tour: &Tour<'_>) -> Result<String, StepError> {
    let mut next = Some(tour.url("/compute/servers?limit=10"));
    let (mut servers, mut pages) = (0, 0);
    while let Some(url) = next.filter(|_| pages < MOST_PAGES) {
        let answer = tour.ask(Curl::get(url), &[]).await?;
        status(&answer, StatusCode::OK)?;
        let page = answer.json();
        servers += page["servers"].as_array().map_or(0, Vec::len);
        pages += 1;
        next = link(&page["servers_links"], "next");
        if let Some(url) = &next {
            tour.show(&format!("next: {url}"))?;
            expect(url.starts_with(&tour.url("/compute/")), "a link to this proxy", url)?;
        }
    }
    expect(pages > 1 && servers > 10, "several pages", &format!("{servers} servers on {pages} pages"))?;
    Ok(format!("{servers} servers on {pages} pages"))
}

async fn refresh(tour: &Tour<'_>) -> Result<String, StepError> {
    let before = tour.snapshot()?;
    let after = tour.newer(before.generation).await?;
    let answer = tour.ask(Curl::head(tour.url("/object-store/photos/poem.txt")), &[]).await?;
    status(&answer, StatusCode::OK)?;
    let left = before.life.expires.remaining(tour.demo.cell.clock().now());
    Ok(format!(
        "token {} took over from token {}, which had {:.1} s left",
        after.generation,
        before.generation,
        left.as_secs_f64()
    ))
}

async fn revoked(tour: &Tour<'_>) -> Result<String, StepError> {
    let before = tour.snapshot()?;
    tour.demo.cloud.keystone().revoke_all();
    tour.show("(Keystone has revoked it)")?;
    let answer = tour.ask(Curl::get(tour.url("/object-store/photos/poem.txt")), &[]).await?;
    status(&answer, StatusCode::OK)?;
    let after = tour.snapshot()?;
    expect(after.generation > before.generation, "a new token", "the old one")?;
    Ok(format!("the service's 401 led to token {}, and the request was sent again", after.generation))
}

const LOGIN: &str = r#"{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"anyone","domain":{"id":"default"},"password":"anything"}}}}}"#;

async fn login(tour: &Tour<'_>) -> Result<String, StepError> {
    let curl = Curl::post(tour.url("/v3/auth/tokens"), LOGIN).with("Content-Type", "application/json");
    let answer = tour.ask(curl, &["X-Subject-Token"]).await?;
    status(&answer, StatusCode::CREATED)?;
    let local = answer.field("X-Subject-Token").to_owned();
    let snapshot = tour.snapshot()?;
    expect(
        !local.is_empty() && snapshot.token.header() != local.as_str(),
        "a token of the proxy's own",
        "the cloud's",
    )?;
    let token = &answer.json()["token"];
    let store = public_url(&token["catalog"], "object-store").unwrap_or_default();
    tour.show(&format!("object-store in the catalog: {store}"))?;
    expect(store.starts_with(&tour.url("/")), "a catalog that leads here", &store)?;
    let curl = Curl::get(format!("{store}/photos")).with("X-Auth-Token", local);
    let answer = tour.ask(curl, &["X-Container-Object-Count"]).await?;
    status(&answer, StatusCode::OK)?;
    Ok("logged in, found the object store in the catalog, and listed it".to_owned())
}

fn public_url(catalog: &Value, service_type: &str) -> Option<String> {
    let service = catalog.as_array()?.iter().find(|service| service["type"] == service_type)?;
    let endpoint =
        service["endpoints"].as_array()?.iter().find(|endpoint| endpoint["interface"] == "public")?;
    endpoint["url"].as_str().map(str::to_owned)
}

fn link(links: &Value, rel: &str) -> Option<String> {
    let link = links.as_array()?.iter().find(|link| link["rel"] == rel)?;
    link["href"].as_str().map(str::to_owned)
}

fn status(answer: &Answer, expected: StatusCode) -> Result<(), StepError> {
    let got = || format!("{}: {}", answer.status, answer.text());
    if answer.status == expected {
        return Ok(());
    }
    Err(StepError::Other { expected: expected.to_string(), got: got() })
}

fn expect(holds: bool, expected: &str, got: &str) -> Result<(), StepError> {
    if holds {
        return Ok(());
    }
    Err(StepError::Other { expected: expected.to_owned(), got: got.to_owned() })
}

/// A link that led back to where it stands would never end.
const MOST_PAGES: usize = 20;
