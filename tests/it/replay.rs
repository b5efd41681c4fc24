//! The same request sent more than once, as the proxy does after a 401: with another
//! token, to another upstream, with the same body.

use std::sync::Arc;

use bytes::Bytes;
use gatestone::catalog::EndpointUrl;
use gatestone::client::{Client, Outgoing, SendError, Upload};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::support::by_hand::{take, to_the_end};
use crate::support::config;
use crate::support::http::{fields, read_head};

/// The body of a request with this framing, and the client that is to send it.
async fn upload(framing: &str) -> (Upload, DuplexStream) {
    let (mut client, server) = duplex(1024 * 1024);
    let (hand_out, mut bodies) = mpsc::unbounded_channel();
    let service = service_fn(move |request: Request<Incoming>| {
        hand_out.send(request.into_body()).unwrap();
        std::future::pending::<Result<Response<Empty<Bytes>>, std::convert::Infallible>>()
    });
    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(server), service));
    client.write_all(format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n").as_bytes()).await.unwrap();
    (Upload::from_incoming(bodies.recv().await.unwrap(), |_| {}, Arc::default()).unwrap(), client)
}

/// One try, and both ends of it: what the client is told, and the connection that the upstream got.
async fn attempt(
    client: &Client,
    upload: &Upload,
    token: &'static str,
    serve: impl AsyncFnOnce(&mut TcpStream, String),
) -> (Result<u16, SendError>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream: EndpointUrl = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let mut value = HeaderValue::from_static(token);
    value.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert("x-auth-token", value);
    match upload.length() {
        Some(length) => headers.insert("content-length", HeaderValue::from(length)),
        None => headers.insert("trailer", HeaderValue::from_static("x-sum")),
    };
    let target = "/v1/o".parse().unwrap();
    let request = Outgoing {
        method: &Method::POST,
        target: &target,
        headers: &headers,
        body: Some(upload),
        spelling: None,
        lines: None,
        interim: None,
    };
    let serving = async {
        let (mut origin, _) = listener.accept().await.unwrap();
        origin.set_nodelay(true).unwrap();
        let head = read_head(&mut origin).await;
        assert_eq!(fields(&head, "x-auth-token"), [token]);
        serve(&mut origin, head).await;
        origin
    };
    let (response, origin) = tokio::join!(client.forward(&upstream, &request), serving);
    (response.map(|response| response.status().as_u16()), origin)
}

fn new_client() -> Client {
    Client::new(&config::password("http://127.0.0.1:1/v3").client).unwrap()
}

const REFUSED: &[u8] = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
const CREATED: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_body_that_was_half_sent_goes_whole_with_the_next_token_and_the_first_is_cut() {
    let (client, (upload, mut sender)) = (new_client(), upload("Content-Length: 10").await);
    sender.write_all(b"first").await.unwrap();
    let (status, mut refused) = attempt(&client, &upload, "old", async |origin, _| {
        assert_eq!(take(origin, 5).await, b"first");
        origin.write_all(REFUSED).await.unwrap();
    })
    .await;
    assert_eq!((status.unwrap(), upload.can_begin_again()), (401, true));
    let (status, _) = attempt(&client, &upload, "new", async |origin, head| {
        assert_eq!(fields(&head, "content-length"), ["10"]);
        assert_eq!(take(origin, 5).await, b"first");
        sender.write_all(b"other").await.unwrap();
        assert_eq!(take(origin, 5).await, b"other");
        origin.write_all(CREATED).await.unwrap();
    })
    .await;
    assert_eq!(status.unwrap(), 201);
    assert_eq!(to_the_end(&mut refused).await.0, b"", "it must not get the rest, and it must end");
}

#[tokio::test(start_paused = true)]
async fn a_body_of_unknown_length_goes_again_with_its_framing_and_trailers() {
    let (client, (upload, mut sender)) =
        (new_client(), upload("Transfer-Encoding: chunked\r\nTrailer: X-Sum").await);
    sender.write_all(b"2\r\nhi\r\n0\r\nx-sum: 1\r\n\r\n").await.unwrap();
    for (token, answer, code) in [("old", REFUSED, 401), ("new", CREATED, 201)] {
        let (status, _) = attempt(&client, &upload, token, async |origin, head| {
            assert_eq!(fields(&head, "expect"), ["100-continue"]);
            origin.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            assert_eq!(read_head(origin).await, "2\r\nhi\r\n0\r\nx-sum: 1\r\n\r\n");
            origin.write_all(answer).await.unwrap();
        })
        .await;
        assert_eq!((status.unwrap(), upload.can_begin_again()), (code, true));
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_body_that_was_not_asked_for_can_be_sent_elsewhere() {
    let length = 1_000_000;
    let (client, (upload, mut sender)) = (new_client(), upload(&format!("Content-Length: {length}")).await);
    sender.write_all(&vec![b'x'; length]).await.unwrap();
    let (status, mut refused) =
        attempt(&client, &upload, "old", async |origin, _| origin.write_all(REFUSED).await.unwrap()).await;
    assert_eq!((status.unwrap(), upload.can_begin_again()), (401, true));
    assert_eq!(to_the_end(&mut refused).await.0, b"");
    let (status, _) = attempt(&client, &upload, "new", async |origin, _| {
        origin.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        assert_eq!(take(origin, length).await, vec![b'x'; length]);
        origin.write_all(REFUSED).await.unwrap();
    })
    .await;
    // Now it is gone.
    assert_eq!((status.unwrap(), upload.can_begin_again()), (401, false));
    let target = "/v1/o".parse().unwrap();
    let request = Outgoing {
        method: &Method::PUT,
        target: &target,
        headers: &HeaderMap::new(),
        body: Some(&upload),
        spelling: None,
        lines: None,
        interim: None,
    };
    let error = client.forward(&"http://127.0.0.1:1".parse().unwrap(), &request).await.unwrap_err();
    assert!(matches!(error, SendError::BodySpent), "{error}");
}
