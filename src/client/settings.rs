//! How upstreams are reached: what the configuration fills in for the client.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How upstreams are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Longest wait for DNS, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Longest wait for a response's head after the request has been sent.
    pub response_timeout: Duration,
    /// Longest silence in the middle of a body: of the upstream in its response's, of
    /// the client in its request's.
    pub body_timeout: Duration,
    /// Whether field names keep the letter case they came in.
    pub preserve_header_case: bool,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// Trust and own certificate.
    pub tls: TlsSettings,
    /// HTTP proxies on the way, as `HTTPS_PROXY` and its relatives name them.
    pub proxy: ProxySettings,
    /// Addresses to use in place of DNS.
    pub resolve: Vec<Resolve>,
}

/// What we trust and who we are in TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// PEM file of the certificate authorities to trust in place of the system's.
    pub cacert: Option<PathBuf>,
    /// PEM files of our own certificate chain and its private key.
    pub client_certificate: Option<ClientCertificate>,
    /// Do not verify anything. Loud.
    pub insecure: bool,
}

/// A client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM file of the chain.
    pub cert: PathBuf,
    /// PEM file of the private key; may be the same file.
    pub key: PathBuf,
}

/// Values of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; empty for unset.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// For `https` upstreams.
    pub https: String,
    /// For `http` upstreams (lower-case `http_proxy` only, as curl does).
    pub http: String,
    /// For both, where the more exact one is unset.
    pub all: String,
    /// Hosts that are reached directly.
    pub no: String,
}

/// One `HOST:PORT:ADDRESS`, as curl's `--resolve`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// Lower-case host name as it stands in the URL.
    pub host: String,
    /// Port it applies to; `None` for `*`.
    pub port: Option<u16>,
    /// Addresses to connect to, in order.
    pub addresses: Vec<IpAddr>,
}

impl std::fmt::Debug for ProxySettings {
    /// A proxy's URL may carry a password, so only what is set is told.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxySettings")
            .field("https", &!self.https.is_empty())
            .field("http", &!self.http.is_empty())
            .field("all", &!self.all.is_empty())
            .field("no", &self.no)
            .finish()
    }
}
