//! Both ends of the proxy as bare sockets, for tests that play them byte by byte.

use std::time::Duration;

use gatestone::config::Config;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::config;
use super::keystone::Keystone;
use super::proxy::Proxy;

/// An object store whose connections the test plays itself.
pub(crate) struct Upstream(TcpListener);

impl Upstream {
    /// The next connection that the proxy opens.
    pub(crate) async fn accept(&self) -> TcpStream {
        self.accepted().await.expect("the proxy opens no connection")
    }

    /// Whether the proxy opens no connection, as far as can be seen.
    pub(crate) async fn is_left_alone(&self) -> bool {
        self.accepted().await.is_none()
    }

    async fn accepted(&self) -> Option<TcpStream> {
        let (stream, _) = tokio::time::timeout(PATIENCE, self.0.accept()).await.ok()?.unwrap();
        stream.set_nodelay(true).unwrap();
        Some(stream)
    }
}

/// More than anything here takes; it costs nothing while the clock stands, and a test that waits in vain ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// A proxy in front of such an upstream.
pub(crate) async fn by_hand() -> (Upstream, Keystone, Proxy) {
    by_hand_with(|_| {}).await
}

/// The same, with settings of its own.
pub(crate) async fn by_hand_with(change: impl FnOnce(&mut Config)) -> (Upstream, Keystone, Proxy) {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/AUTH_p", upstream.local_addr().unwrap());
    let catalog = json!([{ "type": "object-store", "endpoints": [
        { "interface": "public", "region_id": "R", "url": url } ] }]);
    let keystone = Keystone::start(catalog).await;
    let mut settings = config::password(&keystone.url);
    change(&mut settings);
    let proxy = Proxy::with(settings);
    (Upstream(upstream), keystone, proxy)
}

/// A client of the proxy that has sent these bytes.
pub(crate) async fn send(proxy: &Proxy, bytes: &str) -> TcpStream {
    let mut client = TcpStream::connect(proxy.addr).await.unwrap();
    client.set_nodelay(true).unwrap();
    client.write_all(bytes.as_bytes()).await.unwrap();
    client
}

/// Everything that comes until the connection ends, and how it ended.
pub(crate) async fn to_the_end(stream: &mut TcpStream) -> (Vec<u8>, std::io::Result<()>) {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) => return (all, Ok(())),
            Ok(n) => all.extend_from_slice(&buffer[..n]),
            Err(error) => return (all, Err(error)),
        }
    }
}

/// Exactly `length` bytes.
pub(crate) async fn take(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut bytes)).await;
    read.expect("no more bytes come").unwrap();
    bytes
}

/// Whether nothing comes for `wait`.
pub(crate) async fn is_silent(stream: &mut TcpStream, wait: Duration) -> bool {
    tokio::time::timeout(wait, stream.read_u8()).await.is_err()
}
