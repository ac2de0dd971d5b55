//! Topics that come while a WebSocket is open, with what they had before: whatever was heard or not
//! heard on others, and whatever else happens meanwhile.

use daybook::base::Actor;
use daybook::base::id::{DeviceId, PersonId};
use daybook::domain::people::Role;
use daybook::event::{Event, Label};
use daybook::live::hub::TURNS;
use serde_json::{Value, json};

use crate::server::TestServer;
use crate::websocket::{Socket, happen, lead};

/// More bytes than the ring holds, so that the log must be read.
const MANY: i64 = 3000;

async fn opened(server: &TestServer, cookie: &str, topics: &str) -> Socket {
    let path = format!("/api/v1/ws?topics={topics}");
    let mut socket = Socket::of(server, cookie, &path).await.unwrap();
    socket.hear("stream.connected").await;
    socket
}

async fn subscribe(socket: &mut Socket, topic: &str, after: &str) {
    socket.say(json!({ "op": "subscribe", "topics": [topic], "after": after, "ref": 1 })).await;
}

/// Says of a member what the topics `office` and `lead` hear.
async fn mark(server: &TestServer, member_id: PersonId, status: &'static str) {
    let marked = Event::AttendanceMarked { member_id, status, groups: Vec::new() };
    server.write(Actor::System, move |tx| tx.emit(marked)).await.unwrap();
}

/// What is told of members until a command is answered.
async fn marked(socket: &mut Socket) -> Vec<Value> {
    let mut marked = Vec::new();
    loop {
        let message = socket.next().await;
        match message["type"].as_str() {
            Some("subscribed") => return marked,
            Some("attendance.marked") => marked.push(message["data"]["status"].clone()),
            _ => (),
        }
    }
}

#[tokio::test]
async fn a_topic_that_had_nothing_is_there_at_once() {
    let server = TestServer::start().await;
    let (cookie, _) = lead(&server).await;
    let before = server.app.hub.head().to_string();
    for suffix in ["A", "B", "C"] {
        happen(&server, suffix).await;
    }
    let mut socket = opened(&server, &cookie, "house").await;
    subscribe(&mut socket, "help", &before).await;
    let answer = socket.next().await;
    assert_eq!((&answer["type"], &answer["ref"]), (&json!("subscribed"), &json!(1)));
    assert_eq!(answer["topics"], json!(["house", "help"]));
}

#[tokio::test]
async fn a_sign_of_life_in_the_midst_of_what_was_missed_ends_nothing() {
    let server = TestServer::start().await;
    let (cookie, _) = lead(&server).await;
    let before = server.app.hub.head().to_string();
    let happen = server.write(Actor::System, |tx| {
        (0..MANY).try_for_each(|number| {
            let tag_suffix = Label("x".repeat(2000));
            tx.emit(Event::ScanUnknown { device_id: DeviceId(number), tag_suffix })
        })
    });
    happen.await.unwrap();
    let mut socket = opened(&server, &cookie, "house").await;
    let app = server.app.clone();
    let beats = tokio::spawn(async move {
        loop {
            (0..TURNS).for_each(|turn| app.hub.beat(turn, app.clock.now()));
            tokio::task::yield_now().await;
        }
    });
    subscribe(&mut socket, "devices", &before).await;
    for number in 0..MANY {
        let message = socket.next().await;
        assert_eq!(message["data"]["device_id"], number.to_string(), "{message}");
    }
    assert_eq!(socket.next().await["type"], "subscribed");
    beats.abort();
}

/// That another topic has an event too is no reason to leave it out: the socket heard that topic
/// only from its opening on.
#[tokio::test]
async fn what_was_before_the_socket_comes_though_its_other_topics_have_it_too() {
    let server = TestServer::start().await;
    let (cookie, _) = lead(&server).await;
    let mia = server.person("Mia Mohn", Role::Member).await;
    let before = server.app.hub.head().to_string();
    mark(&server, mia, "excused").await;
    let mut socket = opened(&server, &cookie, "office").await;
    mark(&server, mia, "expected").await;
    assert_eq!(socket.hear("attendance.marked").await["data"]["status"], "expected");

    subscribe(&mut socket, "lead", &before).await;
    assert_eq!(marked(&mut socket).await, ["excused"], "what was heard comes no second time");
    mark(&server, mia, "present").await;
    assert_eq!(socket.hear("attendance.marked").await["data"]["status"], "present");
    subscribe(&mut socket, "lead", &before).await;
    assert_eq!(marked(&mut socket).await, [""; 0]);
}

#[tokio::test]
async fn a_topic_that_is_heard_already_goes_back_to_where_it_is_asked_for() {
    let server = TestServer::start().await;
    let (cookie, _) = lead(&server).await;
    let mia = server.person("Mia Mohn", Role::Member).await;
    let before = server.app.hub.head().to_string();
    mark(&server, mia, "excused").await;
    let mut socket = opened(&server, &cookie, "lead").await;
    mark(&server, mia, "expected").await;
    subscribe(&mut socket, "lead", &before).await;
    let mut all = marked(&mut socket).await;
    // What was on its way when the command came is told after its answer.
    while all.len() < 2 {
        all.push(socket.hear("attendance.marked").await["data"]["status"].clone());
    }
    all.sort_by_key(Value::to_string);
    assert_eq!(all, ["excused", "expected"]);
    subscribe(&mut socket, "lead", &before).await;
    assert_eq!(marked(&mut socket).await, [""; 0]);
}
