//! The object store over real connections. Statuses, fields and bodies are those that a real Swift gave.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::super::catalog::{Kind, LAYOUT};
use super::super::keystone::Bearer;
use super::super::people::PROJECTS;
use super::super::site::Site;
use super::super::store::Room;
use super::super::time::Time;
use super::Objects;
use super::auth::Tokens;

/// Tokens that anybody could guess: `member`, `other`, `admin`.
#[derive(Debug)]
struct Guessed;

impl Tokens for Guessed {
    fn bearer(&self, token: &str) -> Option<Bearer> {
        let (project, role) = match token {
            "member" => (0, "member"),
            "other" => (1, "member"),
            "admin" => (2, "admin"),
            _ => return None,
        };
        let project_id = Some(PROJECTS[project].id.to_owned());
        Some(Bearer { user_id: "u".to_owned(), project_id, roles: vec![role.to_owned()] })
    }
}

struct Lab {
    site: Site,
    room: Room,
    time: Time,
    _tasks: JoinSet<()>,
}

async fn lab(capacity: u64) -> Lab {
    lab_in("RegionOne", capacity).await
}

async fn lab_in(region: &str, capacity: u64) -> Lab {
    let row = LAYOUT.iter().find(|row| row.kind == Kind::Objects && row.region == region).unwrap();
    let (room, time, mut tasks) = (Room::new(capacity), Time::new(0), JoinSet::new());
    let login = "http://127.0.0.1:5000".to_owned();
    let service = Objects::with_tokens(row, Arc::new(Guessed), login, room.clone(), time.clone());
    let site = Site::start(row, Arc::new(service), &mut tasks).await.unwrap();
    Lab { site, room, time, _tasks: tasks }
}

#[derive(Debug)]
struct Got {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Got {
    fn field(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }
}

impl Lab {
    async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.site.public()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Asks as the member of the first project; `path` is within its account.
    async fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)], body: Option<&[u8]>) -> Got {
        let fields: Vec<_> = [("X-Auth-Token", "member")].iter().chain(fields).copied().collect();
        self.ask_bare(method, path, &fields, body).await
    }

    async fn ask_bare(&self, method: &str, path: &str, fields: &[(&str, &str)], body: Option<&[u8]>) -> Got {
        let base = self.site.row().path_for(PROJECTS[0].id);
        self.ask_root(method, &format!("{base}{path}"), fields, body).await
    }

    async fn ask_root(&self, method: &str, path: &str, fields: &[(&str, &str)], body: Option<&[u8]>) -> Got {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n");
        for (name, value) in fields {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        // The answer may come before all is sent.
        let _ = stream.write_all(body.unwrap_or_default()).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        got(&bytes)
    }

    async fn put(&self, path: &str, body: &[u8]) -> Got {
        let got = self.ask("PUT", path, &[], Some(body)).await;
        assert_eq!(got.status, 201, "{path}: {got:?}");
        got
    }

    async fn get(&self, path: &str) -> Got {
        self.ask("GET", path, &[], None).await
    }

    async fn ask_owned(&self, path: &str, name: &str, value: &str) -> Got {
        self.ask("GET", path, &[(name, value)], None).await
    }
}

fn got(bytes: &[u8]) -> Got {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| {
        panic!("no head in {:?}", String::from_utf8_lossy(bytes));
    });
    let head = str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        headers.append(http::HeaderName::try_from(name).unwrap(), value.trim().parse().unwrap());
    }
    Got { status, headers, body: bytes[end + 4..].to_vec() }
}

#[tokio::test(start_paused = true)]
async fn an_account_fills_and_empties() {
    let lab = lab(1 << 20).await;
    let virgin = lab.ask("HEAD", "", &[], None).await;
    assert_eq!((virgin.status, virgin.field("x-account-container-count")), (200, "0"));
    assert_eq!(lab.get("/c").await.status, 404);
    assert_eq!(lab.ask("PUT", "/c/o", &[], Some(b"x")).await.status, 404);
    assert_eq!(lab.ask("PUT", "/c", &[("X-Container-Meta-Colour", "red")], None).await.status, 201);
    assert_eq!(lab.ask("PUT", "/c", &[], None).await.status, 202);
    assert_eq!(lab.put("/c/a.txt", b"hello world").await.field("etag"), "5eb63bbbe01eeed093cb22bb8f5acdc3");
    let head = lab.ask("HEAD", "", &[], None).await;
    assert_eq!((head.status, head.field("x-account-bytes-used")), (204, "11"));
    assert_eq!(head.field("x-account-object-count"), "1");
    let head = lab.ask("HEAD", "/c", &[], None).await;
    assert_eq!((head.status, head.field("x-container-meta-colour")), (204, "red"));
    assert_eq!(lab.get("/c").await.text(), "a.txt\n");
    assert_eq!(lab.get("").await.text(), "c\n");
    let listed = lab.get("/c?format=json").await;
    assert_eq!(listed.field("content-type"), "application/json; charset=utf-8");
    let listed: serde_json::Value = serde_json::from_slice(&listed.body).unwrap();
    assert_eq!(listed[0]["content_type"], "text/plain");
    assert_eq!(lab.ask("DELETE", "/c", &[], None).await.status, 409);
    assert_eq!(lab.ask("DELETE", "/c/a.txt", &[], None).await.status, 204);
    assert_eq!(lab.ask("DELETE", "/c/a.txt", &[], None).await.status, 404);
    assert_eq!(lab.ask("DELETE", "/c", &[], None).await.status, 204);
    assert_eq!(lab.get("").await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn callers_without_a_right_are_turned_away() {
    let lab = lab(1 << 20).await;
    lab.ask("PUT", "/c", &[], None).await;
    lab.put("/c/o", b"x").await;
    let nobody = lab.ask_bare("GET", "/c/o", &[("X-Auth-Token", "stolen")], None).await;
    assert_eq!(nobody.status, 401);
    let challenges: Vec<_> = nobody.headers.get_all("www-authenticate").iter().collect();
    let realm = format!("Swift realm=\"AUTH_{}\"", PROJECTS[0].id);
    assert_eq!(challenges, [realm.as_str(), "Keystone uri=\"http://127.0.0.1:5000\""]);
    assert!(nobody.text().starts_with("<html><h1>Unauthorized</h1><p>"), "{nobody:?}");
    assert!(nobody.field("x-trans-id").starts_with("tx"));
    for (token, expected) in [("other", 403), ("admin", 200), ("member", 200)] {
        let got = lab.ask_bare("GET", "/c/o", &[("X-Auth-Token", token)], None).await;
        assert_eq!(got.status, expected, "{token}");
    }
    let open = [("X-Container-Read", ".r:*,.rlistings")];
    assert_eq!(lab.ask("POST", "/c", &open, None).await.status, 204);
    for (method, path, expected) in [
        ("GET", "/c/o", 200),
        ("GET", "/c", 200),
        ("GET", "/c/gone", 404),
        ("DELETE", "/c/o", 401),
        ("GET", "/d", 401),
    ] {
        let got = lab.ask_bare(method, path, &[], None).await;
        assert_eq!(got.status, expected, "{method} {path}");
        assert!(!got.headers.contains_key("x-container-read"));
    }
}

#[tokio::test(start_paused = true)]
async fn metadata_is_replaced_by_post() {
    let lab = lab(1 << 20).await;
    lab.ask("PUT", "/c", &[], None).await;
    let fields = [
        ("X-Object-Meta-A", "1"),
        ("Content-Encoding", "gzip"),
        ("Content-Type", "t/x;charset=utf-8"),
        ("X-Foo", "b"),
    ];
    lab.ask("PUT", "/c/o", &fields, Some(b"x")).await;
    let head = lab.ask("HEAD", "/c/o", &[], None).await;
    assert_eq!((head.status, head.field("content-length")), (200, "1"));
    assert_eq!((head.field("x-object-meta-a"), head.field("content-encoding")), ("1", "gzip"));
    assert_eq!((head.field("content-type"), head.field("accept-ranges")), ("t/x;charset=utf-8", "bytes"));
    assert!(!head.headers.contains_key("x-foo"));
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(lab.ask("POST", "/c/o", &[("X-Object-Meta-B", "2")], None).await.status, 202);
    let after = lab.ask("HEAD", "/c/o", &[], None).await;
    assert_eq!((after.field("x-object-meta-a"), after.field("x-object-meta-b")), ("", "2"));
    assert_eq!((after.field("content-encoding"), after.field("content-type")), ("", "t/x;charset=utf-8"));
    assert_ne!(after.field("last-modified"), head.field("last-modified"));
}

#[tokio::test(start_paused = true)]
async fn objects_expire_and_give_their_room_back() {
    let lab = lab(8192).await;
    lab.ask("PUT", "/c", &[], None).await;
    assert_eq!(lab.ask("PUT", "/c/o", &[("X-Delete-After", "10")], Some(&[0; 4000])).await.status, 201);
    assert_eq!(lab.ask("PUT", "/c/p", &[], Some(&[0; 4000])).await.status, 507);
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(lab.get("/c/o").await.status, 404);
    assert_eq!(lab.get("/c").await.status, 204);
    lab.put("/c/p", &[0; 4000]).await;
}

#[tokio::test(start_paused = true)]
async fn ranges_and_conditions_hold() {
    let lab = lab(1 << 20).await;
    lab.ask("PUT", "/c", &[], None).await;
    lab.put("/c/o", b"hello world").await;
    let range = |range: &'static str| lab.ask_owned("/c/o", "Range", range);
    let one = range("bytes=0-4").await;
    assert_eq!((one.status, one.text(), one.field("content-range")), (206, "hello", "bytes 0-4/11"));
    let several = range("bytes=0-1,3-4").await;
    let boundary = several.field("content-type").strip_prefix("multipart/byteranges;boundary=").unwrap();
    let kind = "Content-Type: application/octet-stream\r\nContent-Range: bytes";
    assert_eq!(
        several.text(),
        format!(
            "--{boundary}\r\n{kind} 0-1/11\r\n\r\nhe\r\n--{boundary}\r\n{kind} 3-4/11\r\n\r\nlo\r\n--{boundary}--"
        )
    );
    assert_eq!(several.field("content-length"), several.body.len().to_string());
    let none = range("bytes=11-").await;
    assert_eq!((none.status, none.field("content-range")), (416, "bytes */11"));
    assert_eq!(range("bytes=5-2").await.status, 200);
    let etag = "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"";
    for (name, value, expected) in [
        ("If-None-Match", etag, 304),
        ("If-Match", "\"x\"", 412),
        ("If-Match", etag, 200),
        ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT", 304),
        ("If-Unmodified-Since", "Mon, 01 Jan 2001 00:00:00 GMT", 412),
    ] {
        let got = lab.ask("GET", "/c/o", &[(name, value)], None).await;
        assert_eq!(got.status, expected, "{name}: {value}");
        assert_eq!(got.body.is_empty(), expected != 200);
    }
    assert_eq!(lab.ask("PUT", "/c/o", &[("If-None-Match", "*")], Some(b"x")).await.status, 412);
    assert_eq!(lab.ask("PUT", "/c/p", &[("If-None-Match", "*")], Some(b"x")).await.status, 201);
    assert_eq!(lab.ask("PUT", "/c/o", &[("ETag", "0")], Some(b"x")).await.status, 422);
    assert_eq!(lab.get("/c/o").await.text(), "hello world");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_waits_is_told_before_it_sends() {
    let lab = lab(1 << 20).await;
    lab.ask("PUT", "/c", &[], None).await;
    lab.put("/c/there", b"x").await;
    let head = |path: &str, token: &str, field: &str| {
        let base = lab.site.row().path_for(PROJECTS[0].id);
        format!(
            "PUT {base}{path} HTTP/1.1\r\nHost: h\r\nX-Auth-Token: {token}\r\nContent-Length: 3\r\n{field}\
             Expect: 100-continue\r\n\r\n"
        )
    };
    for (path, token, field, expected) in [
        ("/c/o", "stolen", "", 401),
        ("/c/o", "other", "", 403),
        ("/none/o", "member", "", 404),
        ("/c/there", "member", "If-None-Match: *\r\n", 412),
        ("/c/o", "member", "X-Delete-At: 1\r\n", 400),
        ("/none/o?multipart-manifest=put", "member", "", 404),
    ] {
        let mut stream = lab.connect().await;
        stream.write_all(head(path, token, field).as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let got = got(&bytes);
        assert_eq!((got.status, got.field("connection")), (expected, "close"), "{path} {token} {field}");
    }
    let mut stream = lab.connect().await;
    stream.write_all(head("/c/o", "member", "").as_bytes()).await.unwrap();
    let mut start = [0; 25];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").await.unwrap();
    let mut status = [0; 20];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 201 Created");
}

#[tokio::test(start_paused = true)]
async fn a_refused_body_is_swallowed_and_the_connection_goes_on() {
    let lab = lab(1 << 20).await;
    let base = lab.site.row().path_for(PROJECTS[0].id);
    let mut stream = lab.connect().await;
    let length = 1_000_000;
    let head = format!(
        "PUT {base}/none/o HTTP/1.1\r\nHost: h\r\nX-Auth-Token: member\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![0; length]).await.unwrap();
    let next = format!("GET {base} HTTP/1.1\r\nHost: h\r\nX-Auth-Token: member\r\nConnection: close\r\n\r\n");
    stream.write_all(next.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("HTTP/1.1 404 Not Found\r\n"), "{text}");
    assert!(text.contains("</html>HTTP/1.1 204 No Content\r\n"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_cut_short_leaves_nothing() {
    let lab = lab(8192).await;
    lab.ask("PUT", "/c", &[], None).await;
    let base = lab.site.row().path_for(PROJECTS[0].id);
    for framing in ["Content-Length: 5000\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"] {
        let mut stream = lab.connect().await;
        let head = format!("PUT {base}/c/o HTTP/1.1\r\nHost: h\r\nX-Auth-Token: member\r\n{framing}");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        assert_eq!(lab.get("/c/o").await.status, 404);
    }
    // All of the room is there yet.
    lab.put("/c/o", &[0; 4000]).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_store_says_so_and_has_room_again_after_a_deletion() {
    let lab = lab(300_000).await;
    lab.ask("PUT", "/c", &[], None).await;
    lab.put("/c/first", &[1; 200_000]).await;
    for path in ["/c/second", "/c/first"] {
        let full = lab.ask("PUT", path, &[], Some(&[2; 200_000])).await;
        assert_eq!((full.status, full.field("connection")), (507, "close"), "{path}");
        assert!(
            full.text().starts_with("this embedded cloud is full: it keeps at most 300000 bytes"),
            "{full:?}"
        );
    }
    assert_eq!(lab.get("/c").await.text(), "first\n");
    assert_eq!(lab.get("/c/first").await.body, [1; 200_000]);
    assert_eq!(lab.ask("COPY", "/c/first", &[("Destination", "/c/copy")], None).await.status, 201);
    assert_eq!(lab.ask("DELETE", "/c/first", &[], None).await.status, 204);
    assert_eq!(lab.ask("PUT", "/c/second", &[], Some(&[2; 200_000])).await.status, 507);
    assert_eq!(lab.ask("DELETE", "/c/copy", &[], None).await.status, 204);
    lab.put("/c/second", &[2; 200_000]).await;
    // Names and metadata take room too, so nobody fills memory with empty objects.
    let mut made = 0;
    while lab.ask("PUT", &format!("/c/{made}"), &[], Some(b"")).await.status == 201 {
        made += 1;
        assert!(made < 200, "empty objects take no room");
    }
    for n in 0..made {
        lab.ask("DELETE", &format!("/c/{n}"), &[], None).await;
    }
    lab.ask("DELETE", "/c/second", &[], None).await;
    lab.ask("DELETE", "/c", &[], None).await;
    let account = 1024 + 37;
    lab.room.share().grow(300_000 - account).unwrap();
}

#[tokio::test(start_paused = true)]
async fn copies_take_metadata_along_unless_told_not_to() {
    let lab = lab(1 << 20).await;
    for container in ["/c", "/d"] {
        lab.ask("PUT", container, &[], None).await;
    }
    lab.ask("PUT", "/c/o", &[("X-Object-Meta-A", "1"), ("Content-Type", "t/y")], Some(b"hello world")).await;
    let copied =
        lab.ask("COPY", "/c/o", &[("Destination", "d/%C3%A9"), ("X-Object-Meta-B", "2")], None).await;
    assert_eq!((copied.status, copied.field("x-copied-from")), (201, "c/o"));
    assert_eq!((copied.field("x-object-meta-a"), copied.field("x-object-meta-b")), ("1", "2"));
    let got = lab.get("/d/%C3%A9").await;
    assert_eq!(
        (got.text(), got.field("content-type"), got.field("x-object-meta-b")),
        ("hello world", "t/y", "2")
    );
    let fresh = [("X-Copy-From", "/c/o"), ("X-Fresh-Metadata", "true")];
    assert_eq!(lab.ask("PUT", "/d/fresh", &fresh, Some(b"")).await.status, 201);
    assert!(!lab.get("/d/fresh").await.headers.contains_key("x-object-meta-a"));
    let part = [("Destination", "d/part"), ("Range", "bytes=0-3")];
    assert_eq!(lab.ask("COPY", "/c/o", &part, None).await.status, 201);
    assert_eq!(lab.get("/d/part").await.text(), "hell");
    for (fields, expected) in [
        (&[][..], 412),
        (&[("Destination", "x")], 412),
        (&[("Destination", "none/x")], 404),
        (&[("Destination", "d/x"), ("Destination-Account", "AUTH_x")], 403),
        (&[("Destination", "d/x"), ("If-Match", "x")], 412),
    ] {
        assert_eq!(lab.ask("COPY", "/c/o", fields, None).await.status, expected, "{fields:?}");
    }
    assert_eq!(lab.ask("COPY", "/c/gone", &[("Destination", "d/x")], None).await.status, 404);
    assert_eq!(lab.ask("PUT", "/d/x", &[("X-Copy-From", "c/o")], Some(b"x")).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn static_large_objects_are_read_as_one() {
    let lab = lab(1 << 20).await;
    for container in ["/c", "/s"] {
        lab.ask("PUT", container, &[], None).await;
    }
    lab.put("/s/1", b"aaaaa").await;
    lab.put("/s/2", b"bbbbb").await;
    let manifest =
        br#"[{"path":"/s/1","size_bytes":5},{"path":"s/2","etag":null,"range":"1-2"},{"data":"YWJj"}]"#;
    let put = lab.ask("PUT", "/c/slo?multipart-manifest=put", &[], Some(manifest)).await;
    assert_eq!((put.status, put.field("etag")), (201, "\"60301c867e81d3424f4dee861a17e799\""));
    let got = lab.get("/c/slo").await;
    assert_eq!((got.text(), got.field("x-static-large-object")), ("aaaaabbabc", "True"));
    assert_eq!(lab.ask("HEAD", "/c/slo", &[], None).await.field("content-length"), "10");
    assert_eq!(lab.ask_owned("/c/slo", "Range", "bytes=3-8").await.text(), "aabbab");
    let listed: serde_json::Value = serde_json::from_slice(&lab.get("/c?format=json").await.body).unwrap();
    assert_eq!(
        (listed[0]["bytes"].as_u64(), listed[0]["slo_etag"].as_str()),
        (Some(10), Some(put.field("etag")))
    );
    let raw = lab.get("/c/slo?multipart-manifest=get&format=raw").await;
    let again = lab.ask("PUT", "/c/again?multipart-manifest=put", &[], Some(&raw.body)).await;
    assert_eq!(again.field("etag"), put.field("etag"));
    let nested = br#"[{"path":"/c/slo"},{"path":"/c/slo","range":"0-6"}]"#;
    assert_eq!(lab.ask("PUT", "/c/super?multipart-manifest=put", &[], Some(nested)).await.status, 201);
    assert_eq!(lab.get("/c/super").await.text(), "aaaaabbabcaaaaabb");
    assert_eq!(lab.ask_owned("/c/super", "Range", "bytes=9-12").await.text(), "caaa");
    assert_eq!(lab.get("/c/slo?part-number=2").await.text(), "bb");
    let wrong = br#"[{"path":"/s/1","etag":"bad","size_bytes":7},{"path":"/s/gone"}]"#;
    let wrong = lab.ask("PUT", "/c/x?multipart-manifest=put", &[], Some(wrong)).await;
    assert_eq!(wrong.text(), "Errors:\n/s/1, Size Mismatch\n/s/1, Etag Mismatch\n/s/gone, 404 Not Found\n");
    lab.put("/s/1", b"ccccc").await;
    assert_eq!(lab.get("/c/slo").await.status, 409);
    lab.put("/s/1", b"aaaaa").await;
    let report = lab.ask("DELETE", "/c/super?multipart-manifest=delete", &[], None).await;
    assert!(report.text().contains("Number Deleted: 4\nNumber Not Found: 3\n"), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_tree_of_manifests_is_neither_unfolded_nor_endless() {
    let lab = lab(16 << 20).await;
    lab.ask("PUT", "/c", &[], None).await;
    lab.put("/c/0", b"x").await;
    let mut deepest = 0;
    for level in 1..=30 {
        let segment = format!(r#"{{"path":"/c/{}"}}"#, level - 1);
        let manifest = format!("[{}]", vec![segment; 100].join(","));
        let path = format!("/c/{level}?multipart-manifest=put");
        let put = lab.ask("PUT", &path, &[], Some(manifest.as_bytes())).await;
        if put.status == 413 {
            break;
        }
        assert_eq!(put.status, 201, "{put:?}");
        deepest = level;
    }
    // 100^8 bytes are a length, of 100^9 a few ranges are none.
    assert_eq!(deepest, 8);
    let range = [("Range", "bytes=-10")];
    let last = lab.ask("GET", "/c/8", &range, None).await;
    assert_eq!(
        (last.field("content-range"), last.text()),
        ("bytes 9999999999999990-9999999999999999/10000000000000000", "xxxxxxxxxx")
    );
}

#[tokio::test(start_paused = true)]
async fn dynamic_large_objects_are_what_begins_so() {
    let lab = lab(1 << 20).await;
    lab.ask("PUT", "/c", &[], None).await;
    lab.put("/c/s/1", b"11111").await;
    lab.put("/c/s/2", b"22222").await;
    assert_eq!(lab.ask("PUT", "/c/dlo", &[("X-Object-Manifest", "c/s/")], Some(b"")).await.status, 201);
    let got = lab.get("/c/dlo").await;
    assert_eq!((got.text(), got.field("etag")), ("1111122222", "\"c9c23fe4fe413e3c3661baec8082cab3\""));
    assert_eq!(lab.ask_owned("/c/dlo", "Range", "bytes=3-6").await.text(), "1122");
    assert_eq!(lab.ask_owned("/c/dlo", "Range", "bytes=40-").await.status, 416);
    assert_eq!(lab.ask("PUT", "/c/x", &[("X-Object-Manifest", "c")], Some(b"")).await.status, 400);
    assert_eq!(lab.ask("COPY", "/c/dlo", &[("Destination", "c/flat")], None).await.status, 201);
    lab.put("/c/s/3", b"3").await;
    assert_eq!(lab.get("/c/dlo").await.text(), "11111222223");
    assert_eq!(lab.get("/c/flat").await.text(), "1111122222");
}

#[tokio::test(start_paused = true)]
async fn many_are_deleted_at_once() {
    let lab = lab(1 << 20).await;
    lab.ask("PUT", "/c", &[], None).await;
    for name in ["/c/a", "/c/b%20c"] {
        lab.put(name, b"x").await;
    }
    let fields = [("Content-Type", "text/plain"), ("Accept", "application/json")];
    let got = lab.ask("POST", "?bulk-delete", &fields, Some(b"c\n/c/a\nc/b%20c\nc/gone\n%ff/x")).await;
    let report: serde_json::Value = serde_json::from_str(got.text().split("\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(
        report,
        serde_json::json!({
            "Response Status": "400 Bad Request", "Response Body": "", "Number Deleted": 3,
            "Number Not Found": 1, "Errors": [["%FF/x", "412 Precondition Failed"]],
        })
    );
    assert_eq!(lab.get("").await.status, 204);
    let got = lab.ask_bare("POST", "?bulk-delete", &[("Content-Type", "text/plain")], Some(b"c/a\n")).await;
    assert!(got.text().contains("Errors:\nc/a, 401 Unauthorized\n"), "{got:?}");
}

#[tokio::test(start_paused = true)]
async fn a_signed_address_needs_no_token_until_it_expires() {
    let lab = lab(1 << 20).await;
    lab.ask("PUT", "/c", &[], None).await;
    lab.ask("PUT", "/c/o", &[("X-Object-Meta-A", "1")], Some(b"hello")).await;
    lab.ask("POST", "", &[("X-Account-Meta-Temp-URL-Key", "key")], None).await;
    let expires = lab.time.now().as_second() + 10;
    let signed = |method: &str, path: &str| {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"key");
        let message = format!("{method}\n{expires}\n/v1/AUTH_{}{path}", PROJECTS[0].id);
        let tag = aws_lc_rs::hmac::sign(&key, message.as_bytes());
        format!("{path}?temp_url_sig={}&temp_url_expires={expires}", super::data::hex(tag.as_ref()))
    };
    let got = lab.ask_bare("GET", &signed("GET", "/c/o"), &[], None).await;
    assert_eq!((got.status, got.text(), got.field("x-object-meta-a")), (200, "hello", ""));
    assert_eq!(got.field("content-disposition"), "attachment; filename=\"o\"; filename*=UTF-8''o");
    assert_eq!(lab.ask_bare("PUT", &signed("PUT", "/c/p"), &[], Some(b"x")).await.status, 201);
    for (method, path) in [("GET", signed("PUT", "/c/o")), ("DELETE", signed("GET", "/c/o"))] {
        let got = lab.ask_bare(method, &path, &[], None).await;
        assert_eq!((got.status, got.text()), (401, "401 Unauthorized: Temp URL invalid\n"), "{method}");
    }
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(lab.ask_bare("GET", &signed("GET", "/c/o"), &[], None).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_store_below_a_path_is_found_there() {
    let lab = lab_in("RegionThree", 1 << 20).await;
    let info = lab.ask_root("GET", "/swift/info", &[], None).await;
    let info: serde_json::Value = serde_json::from_slice(&info.body).unwrap();
    assert_eq!(info["slo"]["max_manifest_segments"], 1000);
    assert_eq!(lab.ask_root("GET", "/info", &[], None).await.status, 404);
    assert_eq!(lab.ask("PUT", "/c", &[], None).await.status, 201);
    assert_eq!(lab.get("").await.text(), "c\n");
}

#[tokio::test(start_paused = true)]
async fn the_account_may_be_left_out_of_paths() {
    let lab = lab_in("RegionFour", 1 << 20).await;
    assert_eq!(lab.ask("PUT", "/c", &[], Some(b"")).await.status, 201);
    lab.put("/c/a/b", b"mine").await;
    assert_eq!(lab.get("/c/a/b").await.text(), "mine");
    assert_eq!(lab.get("").await.text(), "c\n");
    // Another project has an account of its own, and nobody has none.
    let other = [("X-Auth-Token", "other")];
    assert_eq!(lab.ask_bare("GET", "", &other, None).await.status, 204);
    assert_eq!(lab.ask_bare("GET", "/c/a/b", &other, None).await.status, 404);
    assert_eq!(lab.ask_bare("GET", "/c/a/b", &[], None).await.status, 401);
    assert_eq!(lab.ask_root("GET", "/swift/info", &[], None).await.status, 200);
}
