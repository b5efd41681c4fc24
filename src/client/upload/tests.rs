use http::Response;
use http_body_util::{BodyExt, Empty};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{mpsc, oneshot};

use super::*;

/// A request with this framing, as hyper's server hands it out; the rest is for the test to send.
async fn upload(framing: &str) -> (Upload, DuplexStream) {
    let (mut client, server) = duplex(1024 * 1024);
    let (hand_out, mut bodies) = mpsc::unbounded_channel();
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (done, dropped) = oneshot::channel::<()>();
        hand_out.send((request.into_body(), done)).unwrap();
        async move {
            let _ = dropped.await;
            Ok::<_, std::convert::Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(server), service));
    client.write_all(format!("PUT / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n").as_bytes()).await.unwrap();
    let (incoming, done) = bodies.recv().await.unwrap();
    std::mem::forget(done);
    let filter = |trailers: &mut HeaderMap| _ = trailers.remove("x-auth-token");
    (Upload::from_incoming(incoming, filter, Arc::default()).unwrap(), client)
}

async fn next(reader: &mut Reader) -> Result<Bytes, RequestBodyError> {
    Ok(reader.frame().await.unwrap()?.into_data().unwrap())
}

/// All of the body, and its trailers.
async fn rest(reader: &mut Reader) -> Result<(Vec<u8>, Option<HeaderMap>), RequestBodyError> {
    let (mut data, mut trailers) = (Vec::new(), None);
    while let Some(frame) = reader.frame().await {
        match frame?.into_data() {
            Ok(bytes) => data.extend_from_slice(&bytes),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    Ok((data, trailers))
}

async fn is_waiting(reader: &mut Reader) -> bool {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *reader).poll_frame(cx).is_pending())).await
}

#[tokio::test]
async fn a_frame_is_passed_on_the_moment_it_comes_and_a_new_reader_gets_it_again() {
    let (upload, mut client) = upload("Content-Length: 10").await;
    assert!(upload.can_begin_again(), "nothing has been asked for");
    let mut first = upload.begin(Gate::None).unwrap();
    client.write_all(b"first").await.unwrap();
    let passed = next(&mut first).await.unwrap();
    assert_eq!((&passed[..], first.size_hint().exact()), (&b"first"[..], Some(5)));
    assert!(is_waiting(&mut first).await);

    let mut second = upload.begin(Gate::None).unwrap();
    assert!(matches!(next(&mut first).await, Err(RequestBodyError::Withdrawn)));
    assert_eq!(second.size_hint().exact(), Some(10));
    let again = next(&mut second).await.unwrap();
    assert_eq!((&again[..], again.as_ptr()), (&b"first"[..], passed.as_ptr()), "not copied");
    assert!(!second.is_end_stream());
    client.write_all(b"other").await.unwrap();
    assert_eq!(next(&mut second).await.unwrap(), "other");
    assert!(second.is_end_stream());

    // Whole, and still kept.
    let mut third = upload.begin(Gate::None).unwrap();
    assert!(!third.is_end_stream());
    assert_eq!(rest(&mut third).await.unwrap().0, b"firstother");
    assert!(third.is_end_stream());
    assert_eq!(upload.progress().bytes(), 10, "what the client sent, not what was played");
}

#[tokio::test]
async fn a_reader_that_waits_is_woken_to_be_told_that_it_was_cut_off() {
    let (upload, _client) = upload("Content-Length: 10").await;
    for gate in [Gate::None, Gate::Closed] {
        let mut first = upload.begin(gate).unwrap();
        let waiting = tokio::spawn(async move { next(&mut first).await });
        tokio::task::yield_now().await;
        let _second = upload.begin(Gate::None).unwrap();
        assert!(matches!(waiting.await.unwrap(), Err(RequestBodyError::Withdrawn)), "{gate:?}");
    }
}

#[tokio::test]
async fn trailers_are_filtered_and_played_again() {
    let (upload, mut client) = upload("Transfer-Encoding: chunked\r\nTrailer: X-Sum, X-Auth-Token").await;
    assert_eq!(upload.length(), None);
    client.write_all(b"2\r\nhi\r\n0\r\nX-Sum: 1\r\nX-Auth-Token: mine\r\n\r\n").await.unwrap();
    for _ in 0..2 {
        let mut reader = upload.begin(Gate::None).unwrap();
        let (data, trailers) = rest(&mut reader).await.unwrap();
        let trailers = trailers.unwrap();
        assert_eq!((&data[..], trailers.len(), &trailers["x-sum"]), (&b"hi"[..], 1, &"1".parse().unwrap()));
    }
    assert!(upload.can_begin_again());
}

#[tokio::test]
async fn a_body_that_turns_out_empty_is_announced_again_as_one_of_unknown_length() {
    let (upload, mut client) = upload("Transfer-Encoding: chunked").await;
    client.write_all(b"0\r\n\r\n").await.unwrap();
    for _ in 0..2 {
        let mut reader = upload.begin(Gate::None).unwrap();
        assert_eq!((reader.is_end_stream(), reader.size_hint().exact()), (false, None));
        assert_eq!(rest(&mut reader).await.unwrap(), (Vec::new(), None));
    }
}

#[tokio::test]
async fn it_is_spent_with_the_first_byte_beyond_128_kib() {
    let length = 128 * 1024 + 1;
    let (upload, mut client) = upload(&format!("Content-Length: {length}")).await;
    assert!(upload.may_be_spent());
    let mut reader = upload.begin(Gate::None).unwrap();
    client.write_all(&vec![b'x'; length - 1]).await.unwrap();
    let mut passed = 0;
    while passed < length - 1 {
        passed += next(&mut reader).await.unwrap().len();
        assert!(upload.can_begin_again());
    }
    client.write_all(b"x").await.unwrap();
    assert_eq!(next(&mut reader).await.unwrap(), "x");
    assert!(!upload.can_begin_again());
    assert!(upload.begin(Gate::None).is_none());
    assert!(reader.is_end_stream(), "and the reader that there is has not noticed");
}

#[tokio::test]
async fn one_that_the_client_cut_cannot_begin_again() {
    let (upload, mut client) = upload("Content-Length: 10").await;
    client.write_all(b"half").await.unwrap();
    client.shutdown().await.unwrap();
    let mut reader = upload.begin(Gate::None).unwrap();
    assert_eq!(next(&mut reader).await.unwrap(), "half");
    assert!(matches!(next(&mut reader).await, Err(RequestBodyError::Cut(_))));
    assert!(!upload.can_begin_again());
}

#[tokio::test]
async fn behind_a_closed_gate_the_client_is_asked_for_nothing() {
    let (upload, mut client) = upload("Content-Length: 5\r\nExpect: 100-continue").await;
    let mut reader = upload.begin(Gate::Closed).unwrap();
    let turn = reader.turn();
    assert!(is_waiting(&mut reader).await);
    let reading = tokio::spawn(async move { rest(&mut reader).await });
    tokio::task::yield_now().await;
    turn.ask();
    let mut interim = [0; 25];
    client.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"hello").await.unwrap();
    assert_eq!(reading.await.unwrap().unwrap().0, b"hello");
    turn.let_go();
    assert_eq!(turn.gate(), Gate::Asked, "the end of the wait changes nothing");
}

#[tokio::test]
async fn a_gate_is_that_of_its_own_reader() {
    let (upload, _client) = upload("Content-Length: 5").await;
    let old = upload.begin(Gate::Closed).unwrap().turn();
    let mut reader = upload.begin(Gate::Closed).unwrap();
    old.ask();
    old.let_go();
    drop(Unasked::of(&old));
    assert_eq!((old.gate(), reader.turn().gate()), (Gate::None, Gate::Closed));
    assert!(is_waiting(&mut reader).await);

    // Late is not never.
    reader.turn().let_go();
    assert_eq!(reader.turn().gate(), Gate::Overdue);
    reader.turn().ask();
    assert_eq!(reader.turn().gate(), Gate::Asked);
}

#[tokio::test]
async fn a_reader_that_was_not_asked_waits_for_the_end_of_the_response() {
    let (upload, _client) = upload("Content-Length: 5").await;
    let mut reader = upload.begin(Gate::Closed).unwrap();
    let unasked = Unasked::of(&reader.turn()).unwrap();
    assert!(is_waiting(&mut reader).await);
    drop(unasked);
    assert!(matches!(next(&mut reader).await, Err(RequestBodyError::Withdrawn)));
    assert!(upload.can_begin_again());
}

#[tokio::test]
async fn debug_shows_nothing_of_what_passes() {
    let (upload, mut client) = upload("Content-Length: 6").await;
    client.write_all(b"secret").await.unwrap();
    let mut reader = upload.begin(Gate::None).unwrap();
    next(&mut reader).await.unwrap();
    assert!(!format!("{upload:?} {reader:?}").contains("secret"));
}
