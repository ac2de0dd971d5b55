//! The load: requests and streams over bare sockets, as little work as possible on this side.

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use daybook::base::Clock;
use daybook::base::ulid::ulid;
use daybook::client::Client;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::{PASSWORD, Server};

/// A connection that is kept alive.
pub struct Wire {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    /// Connects to the server.
    pub async fn connect(address: SocketAddr) -> Wire {
        let socket = TcpStream::connect(address).await.expect("a connection");
        socket.set_nodelay(true).expect("a setting");
        Wire { socket, buffer: Vec::with_capacity(4096) }
    }

    /// Sends a request and returns the answer's status and body.
    pub async fn call(&mut self, request: &[u8]) -> (u16, &str) {
        self.socket.write_all(request).await.expect("a request goes out");
        self.buffer.clear();
        loop {
            let read = self.socket.read_buf(&mut self.buffer).await.expect("an answer");
            assert!(read > 0, "the server closed the connection");
            let Some((head, body)) = split(&self.buffer) else { continue };
            if body >= length(head) {
                break;
            }
        }
        let text = std::str::from_utf8(&self.buffer).expect("text");
        let status = text.get(9..12).and_then(|code| code.parse().ok()).expect("a status");
        let (_, body) = text.split_once("\r\n\r\n").expect("a head");
        (status, body)
    }

    /// Sends a request whose answer does not end, and returns the connection.
    pub async fn stream(mut self, request: &[u8]) -> TcpStream {
        self.socket.write_all(request).await.expect("a request goes out");
        self.socket
    }
}

fn split(answer: &[u8]) -> Option<(&[u8], usize)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((answer.get(..end)?, answer.len() - end - 4))
}

fn length(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).expect("text");
    let field = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: "));
    field.and_then(|length| length.parse().ok()).expect("a length")
}

/// The request of one reader for one scan.
pub fn scan(key: &str, number: usize, tag: &str) -> Vec<u8> {
    scans(key, [(number, tag)])
}

/// The request of one reader for scans, each a number and a tag.
pub fn scans<T: Display>(key: &str, scans: impl IntoIterator<Item = (usize, T)>) -> Vec<u8> {
    let scans = scans.into_iter().map(|(number, tag)| {
        let id = scan_id(number);
        format!(r#"{{"scan_id":"{id}","tag":"{tag}","age_ms":0,"seq":{number}}}"#)
    });
    let body = format!(r#"{{"scans":[{}]}}"#, scans.collect::<Vec<_>>().join(","));
    format!(
        "POST /api/v1/device/scans HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Returns an id as readers make them: the time, then 80 bits that follow from `number` in no order.
pub fn scan_id(number: usize) -> String {
    let spread = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835_u128;
    ulid(Clock::System.now(), (number as u128).wrapping_mul(spread) >> 48)
}

/// Signs somebody in and returns the cookie.
pub async fn sign_in(address: SocketAddr, username: &str, password: &str) -> String {
    let credentials = json!({ "username": username, "password": password });
    let answer = Client::new(address).post("/api/v1/login", &credentials).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    answer.cookies()
}

/// Signs in the admin of the benchmark's own house.
pub async fn admin(address: SocketAddr) -> String {
    sign_in(address, "ada", PASSWORD).await
}

/// The request for a stream of these topics.
pub fn follow(cookie: &str, topics: &str, after: Option<&str>) -> Vec<u8> {
    let after = after.map(|after| format!("last-event-id: {after}\r\n")).unwrap_or_default();
    format!(
        "GET /api/v1/events?topics={topics} HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\
         accept: text/event-stream\r\n{after}\r\n"
    )
    .into_bytes()
}

/// The request for a WebSocket of these topics.
pub fn follow_by_socket(cookie: &str, topics: &str) -> Vec<u8> {
    format!(
        "GET /api/v1/ws?topics={topics} HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\
         origin: http://localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .into_bytes()
}

/// What the server counts of itself: its figures at one moment, by their names.
pub struct Figures(String);

impl Figures {
    /// Asks for them.
    pub async fn of(address: SocketAddr) -> Figures {
        let mut wire = Wire::connect(address).await;
        let (status, page) = wire.call(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert_eq!(status, 200, "{page}");
        Figures(page.to_owned())
    }

    /// One of them, by its name without `daybook_`.
    pub fn get(&self, name: &str) -> i64 {
        let ours = self.0.lines().filter_map(|line| line.strip_prefix("daybook_"));
        let mut values = ours.filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        values.next().and_then(|value| value.parse().ok()).expect("a figure")
    }
}

/// What the demo holds of sockets when its day is over and nobody is there: where it listens, its ear
/// for signals, and perhaps who has just asked for figures. At its start it plays its readers too, so
/// that what it holds then says little of a few that were kept.
pub const SOCKETS_AT_REST: usize = 6;

/// What the server holds at one moment.
pub struct Level {
    pub mib: f64,
    pub descriptors: usize,
    pub sockets: usize,
    pub streams: i64,
    pub position: i64,
    pub cpu: Duration,
}

impl Level {
    /// Asks the kernel and the server.
    pub async fn of(server: &Server) -> Level {
        let (descriptors, sockets) = (server.descriptors(), server.socket_descriptors());
        let figures = Figures::of(server.address).await;
        Level {
            mib: server.memory_kib().0 as f64 / 1024.0,
            descriptors,
            sockets,
            streams: figures.get("streams_open"),
            position: figures.get("log_position"),
            cpu: server.cpu(),
        }
    }
}

/// Waits; the load has nothing to do meanwhile.
pub async fn rest(time: Duration) {
    tokio::time::sleep(time).await;
}
