//! The feed over WebSocket: handshake, commands, resume, limits, goodbye.

use std::time::Duration;

use daybook::base::Actor;
use daybook::client::Client;
use daybook::domain::people::Role;
use daybook::event::{Event, Label};
use daybook::http::ws::accept_key;
use daybook::live::metrics::Ending;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::TestServer;

/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(10);
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A frame as the server sent it: its first byte and its payload.
type Received = (u8, Vec<u8>);

pub struct Socket {
    pub stream: TcpStream,
}

impl Socket {
    /// Shakes hands; the error is the status and the code of the refusal.
    async fn open(
        server: &TestServer,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Socket, u16> {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let mut head = format!("GET {path} HTTP/1.1\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        if status != 101 {
            return Err(status);
        }
        let accept = format!("sec-websocket-accept: {}", accept_key(KEY));
        assert!(answer.to_lowercase().contains(&accept.to_lowercase()), "{answer}");
        Ok(Socket { stream })
    }

    /// Opens as the owner of `cookie`, from a page of this server.
    pub async fn of(server: &TestServer, cookie: &str, path: &str) -> Result<Socket, u16> {
        let (host, origin) = (server.address.to_string(), format!("http://{}", server.address));
        let mut headers = handshake(&host);
        headers.extend([("cookie", cookie), ("origin", &origin)]);
        Socket::open(server, path, &headers).await
    }

    /// Sends one masked frame.
    async fn send(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match payload.len() {
            short @ 0..=125 => frame.push(0x80 | u8::try_from(short).unwrap()),
            long => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&u16::try_from(long).unwrap().to_be_bytes());
            }
        }
        let mask = [7, 11, 13, 17];
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.write_all(&frame).await.unwrap();
    }

    pub async fn say(&mut self, command: Value) {
        self.send(0x81, command.to_string().as_bytes()).await;
    }

    async fn next_frame(&mut self) -> std::io::Result<Received> {
        let (first, second) = (self.stream.read_u8().await?, self.stream.read_u8().await?);
        let length = match second {
            126 => u64::from(self.stream.read_u16().await?),
            127 => self.stream.read_u64().await?,
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut payload).await?;
        Ok((first, payload))
    }

    /// The next message as JSON.
    pub async fn next(&mut self) -> Value {
        let frame = tokio::time::timeout(PATIENCE, self.next_frame()).await;
        let (first, payload) = frame.expect("a message in time").unwrap();
        assert_eq!(first, 0x81, "{payload:?}");
        serde_json::from_slice(&payload).unwrap()
    }

    /// The next message of this type.
    pub async fn hear(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// The code of the server's close.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.next_frame()).await;
            let (first, payload) = frame.expect("a close in time").unwrap();
            if first == 0x88 {
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    }
}

fn handshake(host: &str) -> Vec<(&str, &str)> {
    vec![
        ("host", host),
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", KEY),
    ]
}

/// A signed-in lead, as a cookie and as a client.
pub async fn lead(server: &TestServer) -> (String, Client) {
    server.account("Lea Leitung", Role::Admin).await;
    let body = json!({ "username": "lea", "password": crate::store::PASSWORD });
    let answer = server.nobody().post("/api/v1/login", &body).await.unwrap();
    (answer.cookies(), server.nobody().with("cookie", answer.cookies()))
}

/// Makes something happen on the topic `devices`.
pub async fn happen(server: &TestServer, suffix: &str) {
    let tag_suffix = Label(suffix.to_owned());
    server
        .write(Actor::System, move |tx| {
            let device_id = daybook::base::id::DeviceId(1);
            tx.emit(Event::ScanUnknown { device_id, tag_suffix })
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_client_subscribes_hears_unsubscribes_and_each_command_is_answered() {
    let server = TestServer::start().await;
    let (cookie, _) = lead(&server).await;
    let mut socket = Socket::of(&server, &cookie, "/api/v1/ws?topics=house").await.unwrap();
    let connected = socket.next().await;
    assert_eq!(connected["type"], "stream.connected");
    assert_eq!(connected["data"]["topics"], json!(["house"]));

    socket.say(json!({ "op": "subscribe", "topics": ["devices"], "ref": 1 })).await;
    let answer = socket.next().await;
    assert_eq!((&answer["ref"], &answer["ok"]), (&json!(1), &json!(true)));
    assert_eq!(answer["topics"], json!(["house", "devices"]));
    happen(&server, "A").await;
    assert_eq!(socket.hear("scan.unknown").await["data"]["tag_suffix"], "A");

    socket.say(json!({ "op": "unsubscribe", "topics": ["devices"], "ref": "x" })).await;
    assert_eq!(socket.next().await["ref"], "x");
    happen(&server, "B").await;
    socket.say(json!({ "op": "ping", "ref": 3 })).await;
    let pong = socket.next().await;
    assert_eq!((&pong["type"], &pong["ref"]), (&json!("pong"), &json!(3)), "B is not heard");
}

#[tokio::test]
async fn a_subscription_with_after_gets_what_it_missed_first_and_nothing_twice() {
    let server = TestServer::start().await;
    let (cookie, _) = lead(&server).await;
    let before = server.app.hub.head().to_string();
    for n in 0..300 {
        happen(&server, &n.to_string()).await;
    }
    let mut socket = Socket::of(&server, &cookie, "/api/v1/ws?topics=house").await.unwrap();
    socket.hear("stream.connected").await;
    let command = json!({ "op": "subscribe", "topics": ["devices"], "after": before, "ref": 1 });
    socket.say(command).await;
    happen(&server, "300").await;
    let mut heard = Vec::new();
    while heard.len() < 301 {
        let message = socket.next().await;
        if message["type"] == "scan.unknown" {
            heard.push(message["data"]["tag_suffix"].as_str().unwrap().parse::<i32>().unwrap());
        }
    }
    assert_eq!(heard, (0..=300).collect::<Vec<_>>());

    let resumed = format!("/api/v1/ws?topics=devices&after={before}");
    let mut again = Socket::of(&server, &cookie, &resumed).await.unwrap();
    assert_eq!(again.hear("scan.unknown").await["data"]["tag_suffix"], "0");

    let command = json!({ "op": "subscribe", "topics": ["help"], "after": "nonsense", "ref": 2 });
    socket.say(command).await;
    assert_eq!(socket.hear("resync").await["data"]["reason"], "not_a_cursor");
}

#[tokio::test]
async fn a_topic_without_after_begins_when_it_is_subscribed_to() {
    let server = TestServer::start().await;
    let (cookie, _) = lead(&server).await;
    let mut socket = Socket::of(&server, &cookie, "/api/v1/ws?topics=house").await.unwrap();
    socket.hear("stream.connected").await;
    happen(&server, "before").await;
    socket.say(json!({ "op": "subscribe", "topics": ["devices"], "ref": 1 })).await;
    assert_eq!(socket.next().await["ref"], 1);
    happen(&server, "after").await;
    assert_eq!(socket.hear("scan.unknown").await["data"]["tag_suffix"], "after");
}

// Faults 77 and 79.
#[tokio::test]
async fn a_handshake_or_a_command_that_is_wrong_is_refused_and_the_rest_stays() {
    let server = TestServer::start().await;
    let (cookie, _) = lead(&server).await;
    let (host, path) = (server.address.to_string(), "/api/v1/ws");
    let origin = format!("http://{host}");
    let with = |changed: (&'static str, &'static str)| {
        let mut headers = handshake(&host);
        headers.retain(|(name, _)| *name != changed.0);
        headers.extend([("cookie", cookie.as_str()), changed]);
        if changed.0 != "origin" {
            headers.push(("origin", &origin));
        }
        headers
    };
    let refused = async |headers: Vec<(&str, &str)>| {
        Socket::open(&server, path, &headers).await.err().unwrap_or(101)
    };
    assert_eq!(refused(handshake(&host)).await, 401, "no cookie");
    assert_eq!(refused(with(("origin", "http://evil.example"))).await, 403);
    assert_eq!(refused(with(("sec-websocket-version", "99"))).await, 426);
    assert_eq!(refused(with(("sec-websocket-key", "short"))).await, 400);
    assert_eq!(refused(with(("upgrade", "h2c"))).await, 426);
    let foreign = Socket::of(&server, &cookie, "/api/v1/ws?topics=user:99:inbox").await;
    assert_eq!(foreign.err(), Some(403));

    let mut socket = Socket::of(&server, &cookie, "/api/v1/ws?topics=house").await.unwrap();
    socket.hear("stream.connected").await;
    socket.say(json!({ "op": "subscribe", "topics": ["user:99:inbox"], "ref": 1 })).await;
    let answer = socket.next().await;
    assert_eq!((&answer["type"], &answer["ref"]), (&json!("error"), &json!(1)));
    assert_eq!(answer["code"], "topic.forbidden");
    socket.say(json!(["subscribe", ["house"], null, 7])).await;
    assert_eq!(socket.next().await["detail"], "the command must be an object");
    for _ in 0..17 {
        socket.send(0x81, b"not json").await;
        assert_eq!(socket.next().await["code"], "command.malformed");
    }
    socket.send(0x81, b"once more").await;
    assert_eq!(socket.close_code().await, 1008);
}

// Fault 78.
#[tokio::test]
async fn a_message_too_big_and_a_broken_frame_end_the_socket_with_their_codes() {
    let server = TestServer::start().await;
    let (cookie, _) = lead(&server).await;
    let mut socket = Socket::of(&server, &cookie, "/api/v1/ws").await.unwrap();
    socket.send(0x01, &[b' '; 60_000]).await;
    socket.send(0x80, &[b' '; 60_000]).await;
    assert_eq!(socket.close_code().await, 1009);
    let mut socket = Socket::of(&server, &cookie, "/api/v1/ws").await.unwrap();
    socket.send(0x83, b"").await;
    assert_eq!(socket.close_code().await, 1002);
    let mut socket = Socket::of(&server, &cookie, "/api/v1/ws").await.unwrap();
    socket.send(0x82, b"bytes").await;
    assert_eq!(socket.close_code().await, 1003);
    assert_eq!(server.app.hub.metrics().endings(Ending::Breach), 3);
}

// Fault 78.
#[tokio::test]
async fn a_flood_of_pings_ends_the_socket() {
    let server = TestServer::start().await;
    let (cookie, _) = lead(&server).await;
    let mut socket = Socket::of(&server, &cookie, "/api/v1/ws").await.unwrap();
    socket.hear("stream.connected").await;
    for _ in 0..200 {
        socket.send(0x89, b"are you there").await;
        assert_eq!(socket.next_frame().await.unwrap().0, 0x8A);
    }
    socket.send(0x89, b"are you there").await;
    assert_eq!(socket.close_code().await, 1008);
}

#[tokio::test]
async fn one_stream_has_a_bounded_number_of_topics_and_none_that_is_not_there() {
    let server = TestServer::start().await;
    let (cookie, client) = lead(&server).await;
    let groups = |numbers: std::ops::Range<i64>| {
        numbers.map(|number| format!("group:{number}")).collect::<Vec<_>>()
    };
    let path = format!("/api/v1/ws?topics={}", groups(0..201).join(","));
    assert_eq!(Socket::of(&server, &cookie, &path).await.err(), Some(422));
    let path = format!("/api/v1/events?topics={}", groups(0..201).join(","));
    let refused = client.get(&path).await.unwrap();
    assert_eq!(
        (refused.status, refused.json().unwrap()["code"].clone()),
        (422, json!("topics.too_many"))
    );
    for path in ["/api/v1/ws?topics=room:99", "/api/v1/ws?topics=house,room:99"] {
        assert_eq!(Socket::of(&server, &cookie, path).await.err(), Some(403), "{path}");
    }

    let path = format!("/api/v1/ws?topics={}", groups(0..150).join(","));
    let mut socket = Socket::of(&server, &cookie, &path).await.unwrap();
    socket.hear("stream.connected").await;
    for (more, code) in [
        (groups(0..201), Some("topics.too_many")),
        (groups(100..201), Some("topics.too_many")),
        (vec!["room:99".to_owned()], Some("topic.forbidden")),
        (groups(100..200), None),
    ] {
        socket.say(json!({ "op": "subscribe", "topics": more, "ref": 1 })).await;
        let answer = socket.next().await;
        assert_eq!(answer["code"].as_str(), code, "{answer}");
    }
}

#[tokio::test]
async fn without_a_topic_everything_is_heard_that_may_be() {
    let server = TestServer::start().await;
    let (cookie, _) = lead(&server).await;
    let mut heard = Vec::new();
    for path in ["/api/v1/ws", "/api/v1/ws?topics=", "/api/v1/ws?topics=,"] {
        let mut socket = Socket::of(&server, &cookie, path).await.unwrap();
        heard.push(socket.hear("stream.connected").await["data"]["topics"].clone());
    }
    assert!(heard[0].as_array().unwrap().contains(&json!("lead")), "{heard:?}");
    assert!(heard.iter().all(|topics| *topics == heard[0]), "{heard:?}");
}

// Fault 80.
#[tokio::test]
async fn a_client_is_asked_every_20_s_and_closed_when_two_pings_stay_unanswered() {
    let server = TestServer::start().await;
    let (cookie, _) = lead(&server).await;
    let open = async || {
        let mut socket = Socket::of(&server, &cookie, "/api/v1/ws").await.unwrap();
        socket.hear("stream.connected").await;
        socket
    };
    let begun = tokio::time::Instant::now();
    let (mut silent, mut alive) = (open().await, open().await);
    // From here on time passes when nobody has anything to do.
    tokio::time::pause();
    let answering = tokio::spawn(async move {
        for asked in 1..=5 {
            assert_eq!(alive.next_frame().await.unwrap().0, 0x89);
            assert!(begun.elapsed() >= asked * Duration::from_secs(20));
            alive.send(0x8A, b"").await;
        }
        alive
    });
    for _ in 0..2 {
        assert_eq!(silent.next_frame().await.unwrap().0, 0x89);
    }
    assert!(silent.next_frame().await.is_err(), "closed");
    assert!(begun.elapsed() >= Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!(server.app.hub.metrics().endings(Ending::Silent), 1);
    let mut alive = answering.await.unwrap();
    tokio::time::resume();
    alive.say(json!({ "op": "ping", "ref": 1 })).await;
    assert_eq!(alive.hear("pong").await["ref"], 1);
}

// Faults 43 and 81.
#[tokio::test]
async fn rights_that_end_and_a_server_that_stops_close_the_socket() {
    let server = TestServer::start().await;
    let (cookie, client) = lead(&server).await;
    let mut socket = Socket::of(&server, &cookie, "/api/v1/ws").await.unwrap();
    socket.hear("stream.connected").await;
    client.post("/api/v1/logout", &json!({})).await.unwrap();
    let bye = socket.hear("bye").await;
    assert_eq!((&bye["data"]["reason"], &bye["id"]), (&json!("signed_out"), &Value::Null));
    assert!((100..1000).contains(&bye["data"]["retry_ms"].as_u64().unwrap()), "{bye}");
    assert_eq!(socket.close_code().await, 1001);

    let body = json!({ "username": "lea", "password": crate::store::PASSWORD });
    let cookie = server.nobody().post("/api/v1/login", &body).await.unwrap().cookies();
    let mut socket = Socket::of(&server, &cookie, "/api/v1/ws").await.unwrap();
    socket.hear("stream.connected").await;
    server.app.hub.drain();
    assert_eq!(socket.hear("bye").await["data"]["reason"], "shutdown");
    assert_eq!(socket.close_code().await, 1001);
}
