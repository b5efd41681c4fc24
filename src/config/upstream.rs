//! What the HTTP client is told: trust, our own certificate, HTTP proxies on the way.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;

use crate::client;
use crate::secret::Secret;

use super::env::Environment;
use super::mistakes::{Mistakes, unreadable};
use super::settings::Settings;
use super::source::Source;

/// Certificates, from our settings or the cloud's entry; every file must be readable.
pub(super) fn tls(
    settings: &Settings,
    source: Option<&Source>,
    warnings: &mut Vec<String>,
    mistakes: &mut Mistakes,
) -> client::TlsSettings {
    let cloud = source.and_then(|source| source.cloud.as_ref());
    let cacert = settings.cacert.as_ref().or_else(|| cloud?.cacert.as_ref());
    // A certificate and its key belong together, so they are taken from one source.
    let (cert, key) = match (&settings.cert, &settings.key) {
        (None, None) => {
            (cloud.and_then(|cloud| cloud.cert.as_ref()), cloud.and_then(|cloud| cloud.key.as_ref()))
        }
        (cert, key) => (cert.as_ref(), key.as_ref()),
    };
    for path in [cacert, cert, key].into_iter().flatten() {
        if let Err(error) = std::fs::File::open(&path.value) {
            mistakes.at(&path.place, unreadable(&path.value, &error));
        }
    }
    if let (None, Some(key)) = (cert, key) {
        mistakes.at(&key.place, "a private key is set, but no certificate that it belongs to");
    }
    let insecure =
        settings.insecure.as_ref().or_else(|| cloud?.insecure.as_ref()).filter(|insecure| insecure.value);
    if let Some(insecure) = insecure {
        warnings.push(format!(
            "{}: certificates are NOT verified; whoever stands between here and the cloud can take the password and every token",
            insecure.place
        ));
    }
    client::TlsSettings {
        cacert: cacert.map(|path| path.value.clone()),
        client_certificate: cert.map(|cert| client::ClientCertificate {
            cert: cert.value.clone(),
            key: key.map_or_else(|| cert.value.clone(), |key| key.value.clone()),
        }),
        insecure: insecure.is_some(),
    }
}

/// The files that are named there, and for each a number that changes with what it holds.
pub(super) fn certificates(tls: &client::TlsSettings) -> Vec<(PathBuf, u64)> {
    let own = tls.client_certificate.iter().flat_map(|own| [&own.cert, &own.key]);
    let files = tls.cacert.iter().chain(own);
    files
        .map(|path| {
            let mut hasher = DefaultHasher::new();
            // One that cannot be read is a mistake already, or soon for whoever makes the client.
            std::fs::read(path).ok().hash(&mut hasher);
            (path.clone(), hasher.finish())
        })
        .collect()
}

/// What our settings say comes first here: `HTTPS_PROXY` and its relatives are everybody's, not
/// ours. An empty text in the file turns a proxy of the environment off, `ALL_PROXY` too, which
/// therefore is resolved here.
pub(super) fn proxies(settings: &Settings, env: &dyn Environment) -> client::ProxySettings {
    let first = |names: &[&str]| names.iter().find_map(|name| env.get(name)).unwrap_or_default();
    let chosen = |ours: &Option<Secret>, everybodys: &[&str]| match ours {
        Some(url) => url.expose().to_owned(),
        None => first(everybodys),
    };
    client::ProxySettings {
        https: chosen(&settings.https_proxy, &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
        // As curl, no HTTP_PROXY: in CGI programs that is a client's `Proxy` header.
        http: chosen(&settings.http_proxy, &["http_proxy", "all_proxy", "ALL_PROXY"]),
        all: String::new(),
        no: settings.no_proxy.clone().unwrap_or_else(|| first(&["no_proxy", "NO_PROXY"])),
    }
}
