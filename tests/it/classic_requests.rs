//! What is asked for on the classic paths beside their streams: tokens, channels, tracked actions.

use daybook::client::{Client, SseFrame};
use daybook::domain::people::Role;
use daybook::http::classic::EVENT_PATHS;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::callers::{ADMIN, House};
use crate::catalogue::PATIENCE;
use crate::classic::{SOCKET_PATHS, act, lead_again, next, number};
use crate::server::TestServer;
use crate::websocket::{Socket, lead};

#[tokio::test]
async fn a_token_is_a_ticket_for_one_stream_and_rights_end_it() {
    let server = TestServer::start().await;
    let (_, client) = lead(&server).await;
    let token = async || {
        let answer = client.post("/api/v1/stream-tickets", &Value::Null).await.unwrap();
        answer.json().unwrap()["ticket"].as_str().unwrap().to_owned()
    };
    for path in EVENT_PATHS {
        let path = format!("{path}?token={}", token().await);
        let mut stream = server.nobody().stream(&path, &[]).await.unwrap();
        assert_eq!(next(&mut stream).await.json().unwrap()["type"], "connected");
        assert_eq!(server.nobody().get(&path).await.unwrap().status, 401);
    }
    let mut sockets = Vec::new();
    for path in SOCKET_PATHS {
        let path = format!("{path}?token={}", token().await);
        let mut socket = Socket::of(&server, "", &path).await.unwrap();
        assert_eq!(socket.next().await["type"], "connected");
        assert_eq!(Socket::of(&server, "", &path).await.err(), Some(401));
        sockets.push(socket);
    }
    let mut stream = client.stream("/api/sse/events", &[]).await.unwrap();
    client.post("/api/v1/logout", &json!({})).await.unwrap();
    for socket in &mut sockets {
        assert_eq!(socket.close_code().await, 1001);
    }
    // No goodbye in words; only when to come back.
    let rest = timeout(PATIENCE, async {
        let mut frames = Vec::new();
        while let Some(frame) = stream.next().await.unwrap() {
            frames.push(frame);
        }
        frames
    });
    let bye = rest.await.expect("an end in time").pop().unwrap();
    assert_eq!(bye, SseFrame::default());
}

#[tokio::test]
async fn channels_of_open_sockets_change_by_requests_of_their_login() {
    let server = TestServer::start().await;
    let (cookie, client) = lead(&server).await;
    let ask = async |client: &Client, what: &str, channels: Value| {
        let path = format!("/api/ws/{what}");
        let answer = client.post(&path, &json!({ "channels": channels })).await.unwrap();
        (answer.status, answer.json().unwrap())
    };
    let (status, problem) = ask(&client, "subscribe", json!(["house"])).await;
    assert_eq!((status, &problem["code"]), (409, &json!("websocket.not_open")));

    // Another login's sockets, and those of today's path, are not meant.
    let (other_cookie, other) = lead_again(&server).await;
    let mut modern = Socket::of(&server, &cookie, "/api/v1/ws?topics=house").await.unwrap();
    let mut others = Socket::of(&server, &other_cookie, "/ws?topics=house").await.unwrap();
    let mut mine = Socket::of(&server, &cookie, "/api/ws?topics=house").await.unwrap();
    mine.hear("connected").await;
    let heard = ask(&client, "subscribe", json!(["lead", "house"])).await;
    assert_eq!(heard, (200, json!({ "channels": ["house", "lead"] })));
    act(&client, 1).await;
    assert_eq!(number(&mine.hear("activity").await), Some(1));

    let heard = ask(&client, "unsubscribe", json!(["lead"])).await;
    assert_eq!(heard, (200, json!({ "channels": ["house"] })));
    act(&client, 2).await;
    assert_eq!(ask(&client, "subscribe", json!(["lead"])).await.0, 200);
    act(&client, 3).await;
    assert_eq!(number(&mine.hear("activity").await), Some(3), "2 was not heard");

    for channel in ["user:99:inbox", "leaderboard:typing_wpm"] {
        let (status, problem) = ask(&client, "subscribe", json!([channel])).await;
        assert_eq!((status, &problem["code"]), (403, &json!("topic.forbidden")));
        assert!(problem["detail"].as_str().unwrap().contains(channel), "{problem}");
    }
    let many: Vec<_> = (0..201).map(|number| format!("group:{number}")).collect();
    let (status, problem) = ask(&client, "subscribe", json!(many)).await;
    assert_eq!((status, &problem["code"]), (422, &json!("topics.too_many")));
    for socket in [&mut modern, &mut others] {
        socket.say(json!({ "op": "ping", "ref": 1 })).await;
        let pong = socket.hear("pong").await;
        assert_eq!(pong["topics"], json!(["house"]));
    }
    assert_eq!(ask(&other, "subscribe", json!(["lead"])).await.0, 200);
    drop(mine);
    let gone = timeout(PATIENCE, async {
        while ask(&client, "subscribe", json!(["house"])).await.0 != 409 {}
    });
    gone.await.expect("a socket that is closed is forgotten");
}

#[tokio::test]
async fn an_action_is_told_as_before_and_only_ones_own() {
    let server = TestServer::start().await;
    let (mia, client) = server.signed_in("Mia Mohn", Role::Member).await;
    let ben = server.person("Ben Birke", Role::Member).await;
    let track = async |body: Value| {
        let answer = client.post("/api/activity/track", &body).await.unwrap();
        (answer.status, answer.json().unwrap())
    };
    let whole = json!({
        "user_id": mia.to_string(), "event_type": "word.looked_up", "book_id": "b1",
        "content": "Laterne", "context": { "page": 3 },
    });
    assert_eq!(track(whole).await, (202, json!({ "accepted": 1 })));
    let kept = client.get("/api/v1/activity").await.unwrap().json().unwrap();
    assert_eq!(kept["items"][0]["content"], "Laterne");
    let (status, problem) =
        track(json!({ "user_id": ben.to_string(), "event_type": "page.opened" })).await;
    assert_eq!((status, &problem["code"]), (403, &json!("activity.other_person")));
    let (status, problem) = track(json!({ "event_type": "" })).await;
    assert_eq!((status, &problem["field"]), (422, &json!("event_type")));
    assert_eq!(track(json!({ "event": "page.opened" })).await.0, 400);
    let health = server.nobody().get("/health").await.unwrap();
    assert_eq!((health.status, health.json().unwrap()), (200, json!({ "status": "ok" })));
}

#[tokio::test]
async fn classic_streams_count_among_all_streams() {
    let house = House::with(|config| config.streams_per_person = 2).await;
    let caller = house.caller(ADMIN);
    let _modern = caller.stream("/api/v1/events", &[]).await.unwrap();
    let _classic = caller.stream("/api/realtime/events", &[]).await.unwrap();
    let refused = caller.get("/api/sse/events").await.unwrap();
    assert_eq!(refused.status, 503);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(house.app.hub.streams(), 2);
}
