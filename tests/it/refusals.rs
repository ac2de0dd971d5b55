//! What is refused with which code, before anything is stored: at the door of a whole server, with
//! a request that is good in everything else.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use daybook::base::Actor;
use daybook::client::Client;
use daybook::domain::people::Role;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::callers::until;
use crate::devices::reader;
use crate::edge::{read_all, status};
use crate::server::TestServer;
use crate::store::{PASSWORD, TestStore};

const BODY: &str = r#"{"given_name":"Mia","family_name":"Berg","role":"member"}"#;
const PEOPLE: &str = "/api/v1/people";

/// A request that enrols somebody, in its parts.
struct Enrol {
    target: String,
    hosts: Vec<String>,
    /// Where it comes from.
    from: Vec<String>,
    framing: String,
    body: String,
}

impl Enrol {
    fn good(address: SocketAddr) -> Enrol {
        Enrol {
            target: PEOPLE.to_owned(),
            hosts: vec![address.to_string()],
            from: vec![format!("origin: http://{address}")],
            framing: format!("content-length: {}", BODY.len()),
            body: BODY.to_owned(),
        }
    }

    /// Sends it with this cookie and returns status, code and answer.
    async fn send(&self, address: SocketAddr, cookie: &str) -> (u16, String) {
        let hosts: String = self.hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
        let from: String = self.from.iter().map(|from| format!("{from}\r\n")).collect();
        let raw = format!(
            "POST {} HTTP/1.1\r\n{hosts}{from}cookie: {cookie}\r\n{}\r\nconnection: close\r\n\
             content-type: application/json\r\n\r\n{}",
            self.target, self.framing, self.body
        );
        let mut socket = TcpStream::connect(address).await.unwrap();
        // It may be refused in the middle of it.
        let _ = socket.write_all(raw.as_bytes()).await;
        let _ = socket.shutdown().await;
        let answer = read_all(&mut socket).await;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let body: Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {answer}"));
        (status(&answer), body["code"].as_str().unwrap_or_default().to_owned())
    }
}

/// Faults 2 to 7, 9, 13, 24, 50 and 51.
#[tokio::test]
async fn what_the_door_refuses_has_a_code_and_stores_nothing() {
    let server = TestServer::start().await;
    server.account("Eva Chef", Role::Admin).await;
    let login = json!({ "username": "eva", "password": PASSWORD });
    let cookie = server.nobody().post("/api/v1/login", &login).await.unwrap().cookies();
    let address = server.address;
    let chunked = format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len());
    let good = || Enrol::good(address);
    let from = |fields: &[&str]| Enrol {
        from: fields.iter().map(|field| (*field).to_owned()).collect(),
        ..good()
    };
    let hosts = |hosts: &[&str]| Enrol {
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        ..good()
    };
    let unended = chunked.trim_end_matches("0\r\n\r\n");
    let target = |target: String| Enrol { target, ..good() };
    let framed = |framing: &str, body: &str| Enrol {
        framing: framing.to_owned(),
        body: body.to_owned(),
        ..good()
    };
    let packed = |encoding: &str| {
        framed(&format!("content-length: {}\r\ncontent-encoding: {encoding}", BODY.len()), BODY)
    };
    let own = address.to_string();
    let both = format!("content-length: {}\r\ntransfer-encoding: chunked", chunked.len());
    let cases = [
        (from(&["origin: http://evil.example"]), 403, "origin.foreign"),
        (from(&["origin: null"]), 403, "origin.foreign"),
        (from(&["sec-fetch-site: cross-site"]), 403, "origin.foreign"),
        (from(&[]), 403, "origin.missing"),
        (hosts(&[]), 400, "request.host"),
        (hosts(&[&own, &own]), 400, "request.host"),
        (hosts(&["a@localhost"]), 400, "request.host"),
        (hosts(&["evil.example"]), 421, "request.host_unknown"),
        (hosts(&["10.1.2.3"]), 421, "request.host_unknown"),
        (target("/api/v1/devices/../people".to_owned()), 400, "request.path"),
        (target("/api/v1/%2e%2e/v1/people".to_owned()), 400, "request.path"),
        (target("/api/v1%2fpeople".to_owned()), 400, "request.path"),
        (target(format!("{PEOPLE}?{}", "a".repeat(8_200))), 414, "request.target_too_long"),
        (framed(&both, &chunked), 400, "request.length"),
        (framed("transfer-encoding: gzip, chunked", &chunked), 400, "request.encoding"),
        (framed("transfer-encoding: chunked, chunked", &chunked), 400, "request.encoding"),
        // All that is needed has come, but not all that was announced.
        (framed("content-length: 99", BODY), 400, "request.malformed"),
        (framed("transfer-encoding: chunked", unended), 400, "request.malformed"),
        (framed("content-length: 10000000", BODY), 413, "request.too_large"),
        (packed("gzip"), 415, "request.content_encoding"),
        (packed("identity, gzip"), 415, "request.content_encoding"),
        (packed("br\r\ncontent-encoding: identity"), 415, "request.content_encoding"),
        (packed(""), 415, "request.content_encoding"),
    ];
    let stored = async || {
        let people = server.number("select count(*) from person").await;
        (people, server.number("select count(*) from event_log").await)
    };
    let before = stored().await;
    for (request, expected, code) in cases {
        let told = request.send(address, &cookie).await;
        assert_eq!(told, (expected, code.to_owned()), "{} {:?}", request.framing, request.hosts);
        assert_eq!(stored().await, before, "{code} has stored something");
    }
    // Nothing else was wrong with any of them.
    assert_eq!(good().send(address, &cookie).await.0, 201);
    let again = framed("transfer-encoding: chunked", &chunked).send(address, &cookie).await;
    assert_eq!(again.0, 201);
    assert_eq!(packed("Identity").send(address, &cookie).await.0, 201);
    assert_eq!(stored().await.0, before.0 + 3);
}

#[tokio::test]
async fn a_stream_too_many_is_refused_and_opens_nothing() {
    let store = TestStore::with(|config| config.streams_per_person = 1).await;
    let server = TestServer::of(store).await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let first = admin.stream("/api/v1/events", &[]).await.unwrap();
    assert_eq!(first.status, 200);
    let second = admin.get("/api/v1/events").await.unwrap();
    assert_eq!((second.status, code(&second)), (503, "streams.full".to_owned()));
    let wait: u32 = second.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((5..=20).contains(&wait), "{wait}");
    assert_eq!(server.app.hub.streams(), 1);
}

/// A reader keeps what it was not told of, and a page says "again": both know when.
#[tokio::test]
async fn a_full_queue_of_writes_is_503_with_a_time_to_come_again_and_reads_go_on() {
    let server = TestServer::of(TestStore::with(|config| config.write_queue = 2).await).await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let door = reader(&server, json!({ "name": "Door", "mode": "toggle" })).await;
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (began, has_begun) = tokio::sync::oneshot::channel();
    let mut writes = vec![write(&server, move || {
        began.send(()).unwrap();
        wait.recv().unwrap();
    })];
    has_begun.await.unwrap();
    writes.extend([write(&server, || ()), write(&server, || ())]);
    until(|| server.app.hub.metrics().queue_depth.load(Ordering::Relaxed) == 2).await;

    let room = json!({ "name": "Hall", "capacity": 30 });
    let tapped = json!({ "scan_id": "1", "tag": "04A1B2C3", "age_ms": 0 });
    let scans = json!({ "boot_id": "b1", "scans": [tapped] });
    let (rooms, device) = ("/api/v1/rooms", "/api/v1/device/scans");
    for (client, path, body) in [(&admin, rooms, &room), (&door.client, device, &scans)] {
        let busy = client.post(path, body).await.unwrap();
        assert_eq!((busy.status, code(&busy)), (503, "server.busy".to_owned()), "{path}");
        assert_eq!(busy.headers["retry-after"], "1", "{path}");
    }
    assert_eq!(admin.get(rooms).await.unwrap().json().unwrap()["items"], json!([]));
    release.send(()).unwrap();
    for write in writes {
        write.await.unwrap();
    }
    // The same again is taken, and once.
    assert_eq!(admin.post(rooms, &room).await.unwrap().status, 201);
    assert_eq!(door.client.post(device, &scans).await.unwrap().status, 200);
    let stored = "select (select count(*) from room) + 10 * (select count(*) from scan)";
    assert_eq!(server.number(stored).await, 11);
}

/// Asks for a write that does this and nothing else.
fn write(server: &TestServer, act: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let app = server.app.clone();
    tokio::spawn(async move {
        let write = app.write(Actor::System, "test", move |_| {
            act();
            Ok(())
        });
        write.await.unwrap();
    })
}

#[tokio::test]
async fn a_request_that_nobody_has_taken_is_not_given_back_or_laid_aside() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let (_, mia) = server.signed_in("Mia Mai", Role::Member).await;
    let asked = mia.post("/api/v1/help-requests", &json!({ "content": "?" })).await.unwrap();
    let id = asked.json().unwrap()["id"].as_str().unwrap().to_owned();
    let path = |verb: &str| format!("/api/v1/help-requests/{id}/{verb}");
    let act = async |who: &Client, verb: &str| {
        let answer = who.post(&path(verb), &json!({})).await.unwrap();
        (answer.status, code(&answer))
    };
    let log = server.log().await;
    for verb in ["release", "hold"] {
        assert_eq!(act(&admin, verb).await, (409, "help.not_claimed".to_owned()), "{verb}");
    }
    assert_eq!(server.log().await, log);
    assert_eq!(act(&admin, "claim").await.0, 200);
    assert_eq!(act(&admin, "release").await.0, 200);
    assert_eq!(act(&mia, "cancel").await.0, 200);
    assert_eq!(act(&mia, "cancel").await, (409, "help.closed".to_owned()));
}

fn code(answer: &daybook::client::Answer) -> String {
    answer.json().unwrap()["code"].as_str().unwrap_or_default().to_owned()
}
