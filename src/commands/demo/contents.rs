//! What is in the object store when the demonstration begins: put there through the proxy.

use super::curl::Curl;
use super::{Demo, Failed};

/// Objects, per region.
const OBJECTS: &[(&str, &str, &str, &str)] = &[
    ("", "photos/tram.svg", "image/svg+xml", TRAM),
    ("", "photos/harbour.txt", "text/plain", "Cranes in the fog, seen from the ferry.\n"),
    ("@RegionTwo", "archive/2019/report.txt", "text/plain", "This one lies in RegionTwo.\n"),
];

const TRAM: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 30"><rect x="4" y="6" width="52" height="16" rx="3" fill="#c33"/><circle cx="16" cy="24" r="4"/><circle cx="44" cy="24" r="4"/></svg>
"##;

/// Makes the containers and uploads the objects.
pub(super) async fn upload(demo: &Demo) -> Result<(), Failed> {
    for (region, path, media_type, text) in OBJECTS {
        let store = format!("{}/object-store{region}", demo.url());
        let container = path.split('/').next().unwrap_or(path);
        put(Curl::put(format!("{store}/{container}"), None)).await?;
        put(Curl::put(format!("{store}/{path}"), Some(text)).with("Content-Type", *media_type)).await?;
    }
    Ok(())
}

async fn put(request: Curl) -> Result<(), Failed> {
    match request.send().await {
        Ok(answer) if answer.status.is_success() => Ok(()),
        Ok(answer) => Err(Failed::Contents(format!("{request}: {}: {}", answer.status, answer.text()))),
        Err(error) => Err(Failed::Contents(format!("{request}: {error}"))),
    }
}
