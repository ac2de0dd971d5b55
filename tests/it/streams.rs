//! Event streams as one caller sees them: heads, greetings, rights, tickets, caps, goodbyes.

use axum::extract::Request;
use axum::http::Method;
use axum::middleware;
use daybook::base::Actor;
use daybook::base::id::PersonId;
use daybook::client::{Client, SseFrame, Stream};
use daybook::domain::people::model::PersonChange;
use daybook::domain::people::{self, Role};
use daybook::event::{Event, Signal, Topic};
use daybook::http::guard::Guard;
use daybook::live::Tx;
use daybook::live::hub::TURNS;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::callers::{ADMIN, CALLER, House, PATIENCE, believe, events, next, until};
use crate::edge::{read_until, status};
use crate::server::TestServer;

// Fault 67.
#[tokio::test]
async fn a_stream_says_what_it_is() {
    let house = House::new().await;
    let (stream, greeting) = house.stream("?topics=devices,house", &[]).await;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
        ("connection", "close"),
    ] {
        assert_eq!(stream.headers[name], value);
    }
    assert!(stream.headers.contains_key("date") && stream.headers.contains_key("x-request-id"));
    assert!(!stream.headers.contains_key("content-length"));
    let data = &greeting.json().unwrap()["data"];
    assert_eq!(data["topics"], serde_json::json!(["devices", "house"]));
    assert_eq!(data["cursor"], house.app.hub.head().to_string());
    assert_eq!(data["server_time"], "2026-11-20T09:00:00.000Z");
    let head =
        house.caller(ADMIN).send(Method::HEAD, "/api/v1/events", &[], "".into()).await.unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(house.app.hub.streams(), 1);
}

// Fault 67.
#[tokio::test]
async fn a_quiet_stream_gives_signs_of_life_that_move_its_cursor() {
    let house = House::new().await;
    let (mut stream, _) = house.stream("?topics=house", &[]).await;
    // Not for this reader; its position passes it all the same.
    house.emit(7).await;
    for turn in 0..TURNS {
        house.app.hub.beat(turn, house.app.clock.now());
    }
    let beat = next(&mut stream).await.unwrap();
    let id = Some(house.app.hub.head().to_string());
    assert_eq!(beat, SseFrame { id, event: None, data: None });
}

/// Fault 62.
#[tokio::test]
async fn what_is_not_for_the_caller_is_refused_by_name_and_nothing_is_opened() {
    let house = House::new().await;
    for (who, topics, refused) in [
        ("3 member s3", "house,devices", "devices"),
        ("3 member s3", "user:2:inbox", "user:2:inbox"),
        ("3 member s3", "staff", "staff"),
        ("2 staff s2", "group:9", "group:9"),
        ("2 staff s2", "lead", "lead"),
        (ADMIN, "house,nonsense", "nonsense"),
    ] {
        let answer =
            house.caller(who).get(&format!("/api/v1/events?topics={topics}")).await.unwrap();
        assert_eq!(answer.status, 403, "{topics}");
        let problem = answer.json().unwrap();
        assert_eq!(problem["code"], "topic.forbidden");
        assert!(problem["detail"].as_str().unwrap().contains(refused), "{problem}");
    }
    let nobody = Client::new(house.address).get("/api/v1/events").await.unwrap();
    assert_eq!(nobody.status, 401);
    let typo = house.caller(ADMIN).get("/api/v1/events?topic=house").await.unwrap();
    assert_eq!(typo.status, 400);
    assert_eq!(house.app.hub.streams(), 0);
}

#[tokio::test]
async fn a_ticket_opens_one_stream_once() {
    let house = House::new().await;
    let answer =
        house.caller("2 staff s2").post("/api/v1/stream-tickets", &Value::Null).await.unwrap();
    assert_eq!(answer.status, 201);
    let ticket = answer.json().unwrap();
    assert_eq!(ticket["expires_in_s"], 30);
    let path = format!("/api/v1/events?ticket={}", ticket["ticket"].as_str().unwrap());
    let nobody = Client::new(house.address);
    let mut stream = nobody.stream(&path, &[]).await.unwrap();
    assert_eq!(stream.status, 200);
    let greeting = next(&mut stream).await.unwrap().json().unwrap();
    let topics = greeting["data"]["topics"].as_array().unwrap();
    assert!(topics.contains(&"user:2:inbox".into()), "{topics:?}");
    assert_eq!(nobody.get(&path).await.unwrap().status, 401);
    assert_eq!(nobody.get("/api/v1/events?ticket=none").await.unwrap().status, 401);
    // A ticket is for a stream and for nothing else.
    let another = nobody.post("/api/v1/stream-tickets?ticket=x", &Value::Null).await.unwrap();
    assert_eq!(another.status, 401);
}

// Fault 47.
#[tokio::test]
async fn a_stream_has_the_rights_of_the_moment_in_which_it_is_opened() {
    let server = TestServer::start().await;
    server.account("Eva Chef", Role::Admin).await;
    let (ada, admin) = server.signed_in("Ada Krause", Role::Admin).await;
    let answer = admin.post("/api/v1/stream-tickets", &Value::Null).await.unwrap();
    let ticket = answer.json().unwrap()["ticket"].as_str().unwrap().to_owned();
    // The session goes on; what it is of does not.
    let change = PersonChange { role: Some(Role::Staff), ..PersonChange::default() };
    let demote = move |tx: &mut Tx<'_>| people::commands::change(tx, ada, change);
    server.write(Actor::System, demote).await.unwrap();
    let path = format!("/api/v1/events?ticket={ticket}");
    let mut stream = Client::new(server.address).stream(&path, &[]).await.unwrap();
    let greeting = next(&mut stream).await.unwrap().json().unwrap();
    let topics = greeting["data"]["topics"].as_array().unwrap();
    assert!(topics.contains(&"helpers".into()), "{topics:?}");
    for lost in ["lead", "devices", "office"] {
        assert!(!topics.contains(&lost.into()), "{topics:?}");
    }
}

#[tokio::test]
async fn a_role_counts_as_it_is_when_a_stream_opens_and_not_as_it_was() {
    let house = House::new().await;
    let admin = house.caller(ADMIN);
    let answer = admin.post("/api/v1/stream-tickets", &Value::Null).await.unwrap();
    let ticket = answer.json().unwrap()["ticket"].as_str().unwrap().to_owned();
    let demote = "update person set role = 'staff' where person_id = 1";
    house.write(Actor::System, move |tx| Ok(tx.execute_batch(demote)?)).await.unwrap();
    // Who called was found out before, as it is when a change comes in the midst of a request.
    let refused = admin.stream("/api/v1/events?topics=lead", &[]).await.unwrap();
    assert_eq!(refused.status, 403);
    let path = format!("/api/v1/events?ticket={ticket}");
    let mut stream = Client::new(house.address).stream(&path, &[]).await.unwrap();
    let greeting = next(&mut stream).await.unwrap().json().unwrap();
    let topics = greeting["data"]["topics"].as_array().unwrap();
    assert!(topics.contains(&"staff".into()) && !topics.contains(&"lead".into()), "{topics:?}");
}

// Fault 75.
#[tokio::test]
async fn streams_over_a_cap_are_told_to_come_again_and_pages_still_work() {
    let house = House::with(|config| {
        config.streams_per_person = 2;
        config.streams_per_address = 3;
    })
    .await;
    let (first, _) = house.stream("", &[]).await;
    let (_second, _) = house.stream("", &[]).await;
    let refused = house.caller(ADMIN).get("/api/v1/events").await.unwrap();
    assert_eq!(refused.status, 503);
    assert!(refused.headers.contains_key("retry-after"));
    let _third = house.caller("2 staff s2").stream("/api/v1/events", &[]).await.unwrap();
    assert_eq!(house.caller("3 member s3").get("/api/v1/events").await.unwrap().status, 503);
    let post = house.caller(ADMIN).post("/api/v1/stream-tickets", &Value::Null).await.unwrap();
    assert_eq!(post.status, 201);
    drop(first);
    until(|| house.app.hub.streams() == 2).await;
    let (_again, _) = house.stream("", &[]).await;
}

// Fault 75.
#[tokio::test]
async fn the_cap_in_all_counts_every_kind_of_stream_of_whomever() {
    let house = House::with(|config| config.streams_max = 3).await;
    let (_first, _) = house.stream("", &[]).await;
    let second = house.caller("2 staff s2").stream("/api/sse/events", &[]).await.unwrap();
    let (_third, answer) = ask(&house, "3 member s3", "/api/v1/ws").await;
    assert_eq!((second.status, status(&answer)), (200, 101));
    for path in ["/api/v1/events", "/api/realtime/events", "/api/v1/ws", "/ws"] {
        let (_, refused) = ask(&house, "2 staff s9", path).await;
        assert_eq!(status(&refused), 503, "{path}");
        assert!(refused.contains("\r\nretry-after: "), "{path}: {refused}");
    }
    drop(second);
    until(|| house.app.hub.streams() == 2).await;
    assert_eq!(status(&ask(&house, "2 staff s9", "/ws").await.1), 101);
}

// No socket goes with a HEAD, so that it must not be promised one.
#[tokio::test]
async fn a_websocket_opens_by_a_get_alone() {
    let house = House::new().await;
    for path in ["/api/v1/ws", "/api/ws"] {
        let (_, refused) = ask_by("HEAD", &house, ADMIN, path).await;
        assert_eq!(status(&refused), 426, "{refused}");
    }
    assert_eq!(house.app.hub.streams(), 0);
}

/// Asks for a stream of either kind, and returns the socket and the head of the answer.
async fn ask(house: &House, who: &str, path: &str) -> (TcpStream, String) {
    ask_by("GET", house, who, path).await
}

async fn ask_by(method: &str, house: &House, who: &str, path: &str) -> (TcpStream, String) {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{CALLER}: {who}\r\norigin: http://localhost\r\n\
         connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let mut socket = TcpStream::connect(house.address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    let answer = read_until(&mut socket, "\r\n\r\n").await;
    (socket, answer)
}

/// Rights and filters are decided when a stream opens; what passes then costs no query.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_go_on_while_nobody_can_read_the_database() {
    let house = House::with(|config| {
        config.read_connections = 1;
        config.streams_per_person = 50;
    })
    .await;
    let mut readers = Vec::new();
    for topics in ["devices", "devices,house,staff", "devices,lead"] {
        for _ in 0..10 {
            readers.push(house.stream(&format!("?topics={topics}"), &[]).await.0);
        }
    }
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (began, has_begun) = tokio::sync::oneshot::channel();
    let app = house.app.clone();
    let only_reader = tokio::spawn(async move {
        app.read(move |_| {
            began.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        })
        .await
    });
    has_begun.await.unwrap();
    for number in 0..100 {
        house.emit(number).await;
    }
    for reader in &mut readers {
        assert_eq!(events(reader, 100).await, (0..100).map(|n| (n + 1, n)).collect::<Vec<_>>());
    }
    // Nor does a name that is to be shown.
    let (member_id, status, groups) = (PersonId(2), "present", Vec::new());
    let marked = Event::AttendanceMarked { member_id, status, groups };
    house.write(Actor::System, move |tx| tx.emit(marked)).await.unwrap();
    for reader in readers.iter_mut().skip(20) {
        let data = next(reader).await.and_then(|frame| frame.data).expect("the stream goes on");
        assert!(data.contains(r#""display_name":"Ben B.""#), "{data}");
    }
    release.send(()).unwrap();
    only_reader.await.unwrap().unwrap();
}

#[tokio::test]
async fn rights_that_change_end_the_streams_of_that_person_alone_with_a_goodbye() {
    let house = House::new().await;
    let mut theirs = house.caller("2 staff s2").stream("/api/v1/events", &[]).await.unwrap();
    let mut other = house.caller("2 staff s9").stream("/api/v1/events", &[]).await.unwrap();
    let (mut mine, _) = house.stream("?topics=devices", &[]).await;
    next(&mut theirs).await.unwrap();
    next(&mut other).await.unwrap();
    house
        .write(Actor::System, |tx| {
            tx.cut_session("s9", "signed_out");
            Ok(())
        })
        .await
        .unwrap();
    assert_goodbye(&mut other, "signed_out").await;
    house
        .write(Actor::System, |tx| {
            tx.cut(PersonId(2), "access_changed");
            Ok(())
        })
        .await
        .unwrap();
    assert_goodbye(&mut theirs, "access_changed").await;
    house.emit(1).await;
    assert_eq!(events(&mut mine, 1).await, [(1, 1)]);
    until(|| house.app.hub.streams() == 1).await;
}

async fn assert_goodbye(stream: &mut Stream, reason: &str) {
    let bye = next(stream).await.unwrap();
    assert_eq!((bye.event.as_deref(), bye.id.as_deref()), (Some("bye"), None));
    let data = bye.json().unwrap()["data"].clone();
    assert_eq!(data["reason"], reason);
    assert!(data["retry_ms"].as_u64().unwrap() >= 100);
    assert_eq!(next(stream).await, None);
}

#[tokio::test]
async fn streams_say_goodbye_when_the_house_closes() {
    let house = House::new().await;
    let (mut first, _) = house.stream("?topics=devices", &[]).await;
    let (mut second, _) = house.stream("", &[]).await;
    house.emit(1).await;
    house.door.close();
    house.app.hub.drain();
    assert_eq!(events(&mut first, 1).await, [(1, 1)]);
    let bye = next(&mut first).await.unwrap();
    assert_eq!(bye.json().unwrap()["data"]["reason"], "shutdown");
    assert!(bye.json().unwrap()["data"]["retry_ms"].as_u64().unwrap() >= 1000);
    assert_eq!(next(&mut first).await, None);
    while next(&mut second).await.is_some() {}
    assert_eq!(house.door.emptied(PATIENCE).await, 0);
}

// Fault 67.
#[tokio::test]
async fn a_stream_also_flows_where_no_socket_can_be_taken_over() {
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    let house = House::new().await;
    let router = daybook::http::router(house.app.clone(), Guard::new([]), house.door.gate());
    let router = router.layer(middleware::from_fn(believe));
    let request = Request::get("/api/v1/events?topics=devices").header(CALLER, ADMIN);
    let response = router.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    house.emit(5).await;
    let mut text = String::new();
    while !text.contains("scan.unknown") {
        let piece = timeout(PATIENCE, body.frame()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(piece.data_ref().unwrap()).unwrap());
    }
    assert!(text.starts_with("retry: ") && text.contains("event: stream.connected"), "{text}");
    drop(body);
    until(|| house.app.hub.streams() == 0).await;
}

#[tokio::test]
async fn the_house_shows_how_it_is_to_whom_it_concerns() {
    let house = House::new().await;
    let (_stream, _) = house.stream("?topics=devices", &[]).await;
    house.emit(1).await;
    let nobody = Client::new(house.address);
    let get = async |caller: &Client, path: &str| caller.get(path).await.unwrap();
    assert_eq!(get(&nobody, "/healthz").await.json().unwrap()["status"], "alive");
    assert_eq!(get(&nobody, "/readyz").await.json().unwrap()["status"], "ready");
    // From this machine itself.
    let answer = get(&nobody, "/metrics").await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    for line in ["daybook_streams_open 1", "daybook_log_position 1", "daybook_write_queue 0"] {
        assert!(text.lines().any(|have| have == line), "{line}: {text}");
    }
    // Through a proxy on this machine, from somewhere else.
    let passed_on = |who: Option<&str>| {
        let caller = who.map_or_else(|| Client::new(house.address), |who| house.caller(who));
        caller.with("x-forwarded-for", "203.0.113.9")
    };
    assert_eq!(get(&passed_on(None), "/metrics").await.status, 401);
    assert_eq!(get(&passed_on(Some("2 staff s2")), "/metrics").await.status, 403);
    assert_eq!(get(&passed_on(Some(ADMIN)), "/metrics").await.status, 200);
}

#[tokio::test]
async fn a_reader_that_comes_back_is_told_the_newest_value_of_a_figure_and_no_older_one() {
    let house = House::new().await;
    let tell = |number: u64| {
        let data = serde_json::json!({ "length": number });
        let signal = Signal { kind: "queue.changed", topics: vec![Topic::Help], data };
        house.app.hub.signal(&signal, house.app.clock.now());
    };
    house.emit(1).await;
    let known = house.app.hub.head().to_string();
    tell(1);
    house.emit(2).await;
    tell(2);
    tell(3);
    house.emit(3).await;
    let (mut stream, _) = house.stream("?topics=devices,help", &[("last-event-id", &known)]).await;
    let mut told = Vec::new();
    for _ in 0..3 {
        let frame = next(&mut stream).await.unwrap();
        let data = frame.json().unwrap()["data"].clone();
        assert_eq!(frame.id.is_some(), frame.event.as_deref() == Some("scan.unknown"));
        told.push((frame.event.unwrap(), data["length"].as_u64()));
    }
    let fact = || ("scan.unknown".to_owned(), None);
    assert_eq!(told, [fact(), ("queue.changed".to_owned(), Some(3)), fact()]);
}
