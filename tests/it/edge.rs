//! The front door and the guard, over raw sockets: what no honest client sends, and what a patient
//! attacker does. No house stands behind; a few handlers do.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use daybook::http::conn::{Taken, Takeover};
use daybook::http::guard::{self, Guard};
use daybook::http::listen::{Door, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Default)]
pub struct Behind {
    pub ran: Arc<AtomicUsize>,
    pub release: Arc<Notify>,
}

pub struct Edge {
    pub address: SocketAddr,
    pub door: Door,
    pub behind: Behind,
}

async fn watched(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let entry = guard.enter(&request);
    let answer = match guard.admit(&mut request) {
        Ok(()) => guard::bounded(pin!(next.run(request))).await,
        Err(problem) => guard::refused(problem),
    };
    guard.finish(entry, answer)
}

impl Edge {
    pub async fn with(limits: Limits) -> Edge {
        let behind = Behind::default();
        let router = Router::new()
            .route("/", get(async |State(b): State<Behind>| count(&b, "hello")))
            .route("/write", post(async |State(b): State<Behind>, _: Bytes| count(&b, "written")))
            .route("/hidden", get(async |State(b): State<Behind>| count(&b, "hidden")))
            .route("/panic", get(async || -> Response { panic!("a defect") }))
            .route("/large", get(async || "x".repeat(64 << 20)))
            .route("/wait", get(wait))
            .route("/stream", get(stream))
            .layer(middleware::from_fn_with_state(Guard::new(["house.lan".to_owned()]), watched))
            .with_state(behind.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let door = Door::new(limits);
        tokio::spawn(door.clone().serve(listener, router));
        Edge { address, door, behind }
    }

    pub async fn new() -> Edge {
        Edge::with(Limits::default()).await
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends raw bytes and returns everything that comes back until the server closes.
    pub async fn send(&self, raw: impl AsRef<[u8]>) -> String {
        let mut socket = self.connect().await;
        // The server may refuse and close in the middle of it.
        let _ = socket.write_all(raw.as_ref()).await;
        read_all(&mut socket).await
    }

    /// Sends a request and closes the writing half.
    pub async fn send_and_close(&self, raw: &str) -> String {
        let mut socket = self.connect().await;
        socket.write_all(raw.as_bytes()).await.unwrap();
        socket.shutdown().await.unwrap();
        read_all(&mut socket).await
    }

    pub fn ran(&self) -> usize {
        self.behind.ran.load(Ordering::SeqCst)
    }
}

fn count(behind: &Behind, text: &'static str) -> &'static str {
    behind.ran.fetch_add(1, Ordering::SeqCst);
    text
}

async fn wait(State(behind): State<Behind>) -> &'static str {
    behind.ran.fetch_add(1, Ordering::SeqCst);
    behind.release.notified().await;
    "waited"
}

/// Keeps the socket, writes the head and one line, and echoes nothing.
async fn stream() -> Response {
    let mut response = ([("content-type", "text/event-stream")], ()).into_response();
    response.extensions_mut().insert(Takeover::new(|taken| {
        tokio::spawn(async move {
            let Taken { mut socket, head, permit, .. } = taken;
            socket.write_all(&head).await.unwrap();
            socket.write_all(b": taken over\n\n").await.unwrap();
            let mut rest = [0; 64];
            while socket.read(&mut rest).await.is_ok_and(|read| read > 0) {}
            drop(permit);
        });
    }));
    response
}

pub async fn read_all(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, socket.read_to_end(&mut answer)).await;
    read.unwrap_or_else(|_| {
        panic!("still open after {PATIENCE:?}: {:?}", String::from_utf8_lossy(&answer))
    })
    // A reset after the answer is an end like another.
    .ok();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads until `text` has come.
pub async fn read_until(socket: &mut TcpStream, text: &str) -> String {
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while !String::from_utf8_lossy(&answer).contains(text) {
        let read = timeout(PATIENCE, socket.read(&mut piece)).await.expect("in time").unwrap();
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

pub fn status(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0)
}

/// Faults 1, 12 and 16.
#[tokio::test]
async fn bytes_that_are_not_http_are_refused_or_cut_at_once() {
    let edge = Edge::new().await;
    for garbage in [
        &b"\0\0\0\0\0\0\0\0\r\n\r\n"[..],
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\nhost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost : localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx: a\rb\r\n\r\n",
    ] {
        let answer = edge.send(garbage).await;
        let refused = answer.is_empty() || matches!(status(&answer), 400 | 505);
        assert!(refused, "{:?}: {answer}", String::from_utf8_lossy(garbage));
    }
    assert_eq!(edge.ran(), 0);
}

/// Faults 2, 3 and 12.
#[tokio::test]
async fn a_request_names_exactly_one_host_that_is_ours() {
    let edge = Edge::new().await;
    let port = edge.address.port();
    for (heads, expected) in [
        ("host: localhost\r\n".to_owned(), 200),
        (format!("host: 127.0.0.1:{port}\r\n"), 200),
        ("host: HOUSE.lan.\r\n".to_owned(), 200),
        (String::new(), 400),
        ("host: localhost\r\nhost: localhost\r\n".to_owned(), 400),
        ("host: lo cal\r\n".to_owned(), 400),
        ("host: a@localhost\r\n".to_owned(), 400),
        (format!("host: localhost:{port}.evil.example\r\n"), 400),
        ("host: localhost:x\r\n".to_owned(), 400),
        ("host: \r\n".to_owned(), 400),
        ("host: evil.example\r\n".to_owned(), 421),
        ("host: 10.1.2.3\r\n".to_owned(), 421),
    ] {
        let answer = edge.send(format!("GET / HTTP/1.1\r\n{heads}connection: close\r\n\r\n")).await;
        assert_eq!(status(&answer), expected, "{heads:?}: {answer}");
    }
    let absolute = "GET http://evil.example/ HTTP/1.1\r\nhost: localhost\r\n\r\n";
    assert_eq!(status(&edge.send(absolute).await), 400);
    assert!(edge.send("GET / HTTP/1.0\r\n\r\n").await.ends_with("hello"));
}

/// Faults 4 and 7.
#[tokio::test]
async fn a_request_hidden_in_a_body_never_runs() {
    let edge = Edge::new().await;
    let hidden = "GET /hidden HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let body = format!("0\r\n\r\n{hidden}");
    let length = body.len();
    let mut expected = 0;
    for (heads, status_expected) in [
        (format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"), 400),
        (format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n"), 400),
        ("transfer-encoding: identity, chunked, chunked\r\n".to_owned(), 400),
        ("transfer-encoding: gzip\r\n".to_owned(), 400),
        ("transfer-encoding: chunked\r\n".to_owned(), 200),
    ] {
        let answer = edge
            .send(format!("POST /write HTTP/1.1\r\nhost: localhost\r\n{heads}\r\n{body}"))
            .await;
        assert_eq!(status(&answer), status_expected, "{heads:?}: {answer}");
        assert!(!answer.contains("hidden"), "{heads:?}: {answer}");
        expected += usize::from(status_expected == 200);
    }
    let old = format!("POST /write HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n{body}");
    assert_eq!(status(&edge.send(old).await), 400);
    assert_eq!(edge.ran(), expected);
}

/// Fault 5.
#[tokio::test]
async fn lengths_that_are_none_are_refused() {
    let edge = Edge::new().await;
    for length in ["-1", "+5", "0x5", "5, 6", "5\r\ncontent-length: 6", "100000000000000000000", ""]
    {
        let raw = format!(
            "POST /write HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\nhello"
        );
        let answer = edge.send(raw).await;
        assert_eq!(status(&answer), 400, "{length}: {answer}");
    }
    assert_eq!(edge.ran(), 0);
}

/// Fault 6.
#[tokio::test]
async fn a_body_that_is_declared_too_long_is_refused_before_it_is_sent() {
    let edge = Edge::new().await;
    for expect in ["", "expect: 100-continue\r\n"] {
        let raw = format!(
            "POST /write HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10000000000\r\n{expect}\r\n"
        );
        let answer = edge.send(raw).await;
        assert_eq!(status(&answer), 413, "{answer}");
        assert!(answer.contains(r#""code":"request.too_large""#), "{answer}");
    }
}

/// Fault 8.
#[tokio::test]
async fn broken_and_endless_chunks_are_refused() {
    let edge = Edge::new().await;
    let one = "1\r\nx\r\n".repeat(300_000);
    let long = format!("{}\r\n", "f".repeat(17));
    let extension = format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(1 << 20));
    let trailers = format!("0\r\n{}\r\n", "t: 1\r\n".repeat(10_000));
    let large = format!("200000\r\n{}\r\n0\r\n\r\n", "x".repeat(0x20_0000));
    for body in ["ZZ\r\nx\r\n0\r\n\r\n", "-1\r\nx\r\n", &long, &extension, &one, &large, &trailers]
    {
        let head = "POST /write HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
        let answer = edge.send(format!("{head}{body}")).await;
        let shown = body.get(..20).unwrap_or(body);
        let code = status(&answer);
        // The answer itself may be lost to a client that is still sending.
        assert!(code == 0 || (400..500).contains(&code), "{shown:?}: {answer}");
    }
    assert_eq!(edge.ran(), 0);
}

/// Fault 9.
#[tokio::test]
async fn a_body_that_breaks_off_runs_nothing() {
    let edge = Edge::new().await;
    let head = "POST /write HTTP/1.1\r\nhost: localhost\r\ncontent-length: 20\r\n\r\n";
    let answer = edge.send_and_close(&format!("{head}{{\"complete\":true}}")).await;
    assert!(matches!(status(&answer), 0 | 400), "{answer}");
    assert_eq!(edge.ran(), 0);
}

/// Fault 10.
#[tokio::test]
async fn heads_and_targets_have_a_size() {
    let edge = Edge::new().await;
    let get = |target: &str, fields: &str| {
        format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{fields}\r\n")
    };
    let field = |length: usize| format!("x: {}\r\n", "a".repeat(length));
    assert_eq!(status(&edge.send(get("/", &field(30_000))).await), 200);
    assert_eq!(status(&edge.send(get("/", &field(33_000))).await), 431);
    assert_eq!(status(&edge.send(get("/", &field(200_000))).await), 431);
    assert_eq!(status(&edge.send(get("/", &"x: a\r\n".repeat(98))).await), 200);
    assert_eq!(status(&edge.send(get("/", &"x: a\r\n".repeat(99))).await), 431);
    assert_eq!(status(&edge.send(get(&format!("/?{}", "a".repeat(8_000)), "")).await), 200);
    assert_eq!(status(&edge.send(get(&format!("/?{}", "a".repeat(8_200)), "")).await), 414);
}

/// Faults 11 and 55.
#[tokio::test]
async fn methods_that_nobody_answers_to_are_refused_with_a_list() {
    let edge = Edge::new().await;
    for line in ["TRACE /", "CONNECT localhost:80", "BREW /", "get /"] {
        let answer = edge.send(format!("{line} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
        assert_eq!(status(&answer), 405, "{line}: {answer}");
        assert!(answer.contains("\r\nallow: GET, HEAD"), "{answer}");
    }
    let head = edge.send("HEAD / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(status(&head) == 200 && head.ends_with("\r\n\r\n"), "{head}");
    let post = "POST / HTTP/1.1\r\nhost: localhost\r\nx-http-method-override: GET\r\n\
                connection: close\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(status(&edge.send(post).await), 405);
}

/// Faults 13, 57 and 113.
#[tokio::test]
async fn every_error_is_a_problem_with_the_request_s_id_and_every_answer_is_guarded() {
    let edge = Edge::new().await;
    for (target, code) in [("/", 200), ("/nowhere", 404), ("/..%2fetc", 400), ("/panic", 500)] {
        let raw = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = edge.send(raw).await;
        assert_eq!(status(&answer), code, "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        for header in ["content-security-policy: default-src 'self'", "nosniff", "referrer-policy"]
        {
            assert!(head.contains(header), "{header} {head}");
        }
        let id = head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
        if code >= 400 {
            let problem: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(problem["request_id"], id);
            assert_eq!(problem["status"], code);
            assert!(!body.contains("defect"), "{body}");
        }
    }
}

/// Faults 50, 51, 52 and 56.
#[tokio::test]
async fn writes_from_another_site_s_page_are_refused() {
    let edge = Edge::new().await;
    for (fields, expected) in [
        ("origin: http://localhost\r\ncookie: id=1\r\n", 200),
        ("sec-fetch-site: same-origin\r\ncookie: id=1\r\n", 200),
        ("authorization: Bearer key\r\n", 200),
        ("", 200),
        ("cookie: id=1\r\n", 403),
        ("origin: null\r\n", 403),
        ("origin: http://evil.example\r\n", 403),
        ("origin: http://localhost:81\r\n", 403),
        ("origin: http://localhost.evil.example\r\ncookie: id=1\r\n", 403),
        ("origin: http://localhost\r\norigin: http://evil.example\r\n", 403),
        ("origin: http://evil.example\r\norigin: http://localhost\r\n", 403),
        ("origin: http://evil.example\r\nauthorization: Bearer key\r\n", 403),
        ("sec-fetch-site: cross-site\r\n", 403),
        ("sec-fetch-site: same-site\r\ncookie: id=1\r\n", 403),
    ] {
        let raw = format!(
            "POST /write HTTP/1.1\r\nhost: localhost\r\n{fields}content-length: 0\r\n\
             connection: close\r\n\r\n"
        );
        let answer = edge.send(raw).await;
        assert_eq!(status(&answer), expected, "{fields:?}: {answer}");
        assert!(!answer.to_lowercase().contains("access-control"), "{answer}");
    }
}

/// Fault 14.
#[tokio::test]
async fn a_hundred_requests_in_one_write_get_a_hundred_answers() {
    let edge = Edge::new().await;
    let mut raw = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(99);
    raw.push_str("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let answer = edge.send(raw).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 100);
    assert_eq!(edge.ran(), 100);
}
