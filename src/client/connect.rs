//! Opening a connection: names, addresses, HTTP proxies on the way, TLS.
//!
//! `resolve` settings replace DNS for a host and port, as curl's `--resolve` does;
//! the name stays what certificates are checked against.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tower::{Service, ServiceExt};

use super::addresses::Addresses;
use super::pool::Origin;
use super::socket::Socket;
use super::{ProxySettings, Settings, SetupError, tls};

/// A connection to an upstream, plain or TLS.
pub(super) type Stream = MaybeHttpsStream<TokioIo<Socket>>;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing listens there.
    #[error("the connection was refused")]
    Refused(#[source] BoxError),
    /// The name has no address, or no address answers, or a proxy on the way does not let us through.
    #[error("no connection could be made")]
    Unreachable(#[source] BoxError),
    /// TLS failed for another reason than the certificate.
    #[error("TLS failed")]
    Tls(#[source] BoxError),
    /// The upstream's certificate comes from nobody that we trust, or is not its own, or has expired.
    #[error("its certificate is not trusted")]
    Untrusted(#[source] BoxError),
    /// It took too long.
    #[error("no connection within {} s", .0.as_secs())]
    TimedOut(Duration),
}

/// Opens connections.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    https: HttpsConnector<Dial>,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(settings: &Settings) -> Result<Self, SetupError> {
        let dial = Dial {
            addresses: Addresses::new(&settings.resolve),
            proxies: Arc::new(proxies(&settings.proxy)?),
        };
        let https = HttpsConnector::from((dial, tls::client_config(&settings.tls)?));
        Ok(Self { https, timeout: settings.connect_timeout })
    }

    pub(super) async fn connect(&self, origin: &Origin) -> Result<Stream, ConnectError> {
        let uri = Uri::builder()
            .scheme(origin.scheme.clone())
            .authority(origin.authority.clone())
            .path_and_query("/")
            .build()
            .map_err(|error| ConnectError::Unreachable(error.into()))?;
        let connecting = self.https.clone().oneshot(uri);
        let connected = tokio::time::timeout(self.timeout, connecting).await;
        connected.map_err(|_| ConnectError::TimedOut(self.timeout))?.map_err(classify)
    }
}

/// Whatever does not come from [`Dial`] comes from the TLS handshake above it.
fn classify(error: BoxError) -> ConnectError {
    match error.downcast::<DialError>() {
        Ok(dial) if dial.is_refusal() => ConnectError::Refused(dial.0),
        Ok(dial) => ConnectError::Unreachable(dial.0),
        Err(error) if is_distrust(&error) => ConnectError::Untrusted(error),
        Err(error) => ConnectError::Tls(error),
    }
}

/// Whether rustls found fault with the upstream's certificate, which no new try will mend.
fn is_distrust(error: &BoxError) -> bool {
    let io = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    // hyper-rustls wraps tokio-rustls' error, which wraps rustls' own.
    let inner = io.and_then(|inner| inner.downcast_ref::<io::Error>()).and_then(io::Error::get_ref).or(io);
    let rustls = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(rustls, Some(rustls::Error::InvalidCertificate(_)))
}

/// What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say, checked.
fn proxies(settings: &ProxySettings) -> Result<Matcher, SetupError> {
    let variables =
        [("HTTPS_PROXY", &settings.https), ("http_proxy", &settings.http), ("ALL_PROXY", &settings.all)];
    for (variable, value) in variables {
        if value.is_empty() {
            continue;
        }
        // As curl has it, the scheme may be left out.
        let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
        if matches!(scheme, "https" | "socks4" | "socks4a" | "socks5" | "socks5h") {
            return Err(SetupError::ProxyScheme { variable, scheme: scheme.to_owned() });
        }
        // What cannot be read would be passed over, and everything would go out directly.
        let uri =
            format!("http://{rest}").parse::<Uri>().ok().filter(|_| scheme.eq_ignore_ascii_case("http"));
        let has_port = |uri: &Uri| uri.authority().is_some_and(|at| !at.as_str().ends_with(':'));
        if !uri.is_some_and(|uri| uri.host().is_some_and(|host| !host.is_empty()) && has_port(&uri)) {
            return Err(SetupError::ProxyUrl { variable });
        }
    }
    Ok(Matcher::builder()
        .all(settings.all.clone())
        .https(settings.https.clone())
        .http(settings.http.clone())
        .no(settings.no.clone())
        .build())
}

/// TCP to the upstream, straight or through a proxy's tunnel (CONNECT, RFC 9110 9.3.6).
#[derive(Clone, Debug)]
struct Dial {
    addresses: Addresses,
    proxies: Arc<Matcher>,
}

#[derive(Debug, thiserror::Error)]
#[error("no connection")]
struct DialError(#[source] BoxError);

impl DialError {
    fn is_refusal(&self) -> bool {
        let mut cause: Option<&(dyn StdError + 'static)> = Some(self.0.as_ref());
        while let Some(error) = cause {
            if let Some(io) = error.downcast_ref::<io::Error>()
                && io.kind() == io::ErrorKind::ConnectionRefused
            {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

impl Dial {
    async fn dial(self, uri: Uri) -> Result<TokioIo<Socket>, DialError> {
        let Some(proxy) = self.proxies.intercept(&uri) else {
            return self.addresses.oneshot(uri).await.map_err(|error| DialError(error.into()));
        };
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.addresses);
        if let Some(auth) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(auth.clone());
        }
        tunnel.oneshot(uri).await.map_err(|error| DialError(error.into()))
    }
}

impl Service<Uri> for Dial {
    type Response = TokioIo<Socket>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().dial(uri))
    }
}
