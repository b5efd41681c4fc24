//! TLS towards upstreams: rustls with aws-lc-rs, the system's roots or a given CA.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::TlsSettings;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    /// A PEM file could not be read.
    #[error("cannot read {}: {source}; check the path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A PEM file does not hold what it should.
    #[error("{} holds no {what} in PEM form", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// `certificate` or `private key`.
        what: &'static str,
    },
    /// Certificate and key do not fit, or a certificate is not one.
    #[error("the certificate or key in {} is not usable: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
    /// The system has no roots and none were given.
    #[error(
        "no trusted certificate authorities were found on this system; install its CA package or set OS_CACERT"
    )]
    NoRoots,
    /// The crypto provider refused its own defaults.
    #[error("TLS could not be set up")]
    Provider(#[source] rustls::Error),
}

/// The configuration for every upstream connection: TLS 1.2 and 1.3, and no other
/// protocol inside than HTTP/1.1 (RFC 7301). Sessions are resumed, by rustls' own
/// memory, which all connections of a client share.
pub(super) fn client_config(settings: &TlsSettings) -> Result<ClientConfig, TlsSetupError> {
    let mut config = with_roots_and_identity(settings)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn with_roots_and_identity(settings: &TlsSettings) -> Result<ClientConfig, TlsSetupError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(TlsSetupError::Provider)?;
    let builder = if settings.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAny::new(&provider)))
    } else {
        builder.with_root_certificates(roots(settings)?)
    };
    let Some(own) = &settings.client_certificate else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates(&own.cert)?;
    let key = PrivateKeyDer::from_pem_file(&own.key).map_err(|error| match error {
        pem::Error::Io(source) => TlsSetupError::Unreadable { path: own.key.clone(), source },
        _ => TlsSetupError::Empty { path: own.key.clone(), what: "private key" },
    })?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|source| TlsSetupError::Unusable { path: own.cert.clone(), source })
}

/// The system's roots, or those of `cacert` in their place, as `curl --cacert` and `OS_CACERT` do.
fn roots(settings: &TlsSettings) -> Result<RootCertStore, TlsSetupError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &settings.cacert {
        for certificate in certificates(path)? {
            roots
                .add(certificate)
                .map_err(|source| TlsSetupError::Unusable { path: path.clone(), source })?;
        }
        return Ok(roots);
    }
    let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TlsSetupError::NoRoots) } else { Ok(roots) }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsSetupError> {
    let empty = || TlsSetupError::Empty { path: path.to_owned(), what: "certificate" };
    let unreadable = |source| TlsSetupError::Unreadable { path: path.to_owned(), source };
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| match error {
        pem::Error::Io(source) => unreadable(source),
        _ => empty(),
    })?;
    if certificates.is_empty() { Err(empty()) } else { Ok(certificates) }
}

/// `OS_INSECURE`: any certificate will do. Signatures are still checked, so that
/// the peer at least holds the key it shows.
#[derive(Debug)]
struct AcceptAny(WebPkiSupportedAlgorithms);

impl AcceptAny {
    fn new(provider: &CryptoProvider) -> Self {
        Self(provider.signature_verification_algorithms)
    }
}

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
