//! The classic paths: the table of names holds both ways, every row is heard by its older system's
//! names, and the streams carry what today's carry: the same events, rights and places.

use std::collections::{BTreeMap, BTreeSet};

use daybook::client::{Client, SseFrame, Stream};
use daybook::domain::people::Role;
use daybook::http::classic::EVENT_PATHS;
use daybook::http::classic::table::{self, ROWS};
use daybook::live::hub::TURNS;
use daybook::{heartbeat, jobs};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::catalogue::{House, PATIENCE};
use crate::server::TestServer;
use crate::websocket::{Socket, lead};

pub const SOCKET_PATHS: [&str; 3] = ["/api/realtime/ws", "/ws", "/api/ws"];

/// What the older clients read, written apart from the table: the type, what stands beside `data`,
/// and the fields of `data`.
const SHAPES: &[(&str, &str, &str)] = &[
    ("connected", "", "cursor server_time topics"),
    ("heartbeat", "", ""),
    ("login", "", "display_name role user_id"),
    ("logout", "", "display_name role user_id"),
    ("online_users", "", "count users"),
    ("presence_update", "", "device display_name lastSeen role status streams userId"),
    ("user_status", "", "device display_name lastSeen role status userId"),
    ("group_access_changed", "", "added removed"),
    ("activity_start", "active_group_id", "activity_id activity_name room_id staff_ids"),
    ("activity_update", "active_group_id", "activity_id activity_name room_id staff_ids"),
    (
        "activity_end",
        "active_group_id",
        "activity_id activity_name reason room_id staff_ids undo_until",
    ),
    (
        "student_checkin",
        "active_group_id",
        "at from_room_id room_id source student_id student_name visit_id",
    ),
    (
        "student_checkout",
        "active_group_id",
        "at reason room_id source student_id student_name visit_id",
    ),
    ("bulk_student_checkin", "active_group_id", "count reason student_ids"),
    ("bulk_student_checkout", "active_group_id", "count reason student_ids"),
    (
        "help_request",
        "",
        "assigned_to display_name id position priority rev room_id status user_id",
    ),
    (
        "help_request_update",
        "",
        "assigned_to display_name id position priority rev room_id status user_id",
    ),
    ("activity", "", "book_id display_name event_type user_id"),
];

fn words(text: &str) -> BTreeSet<String> {
    text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn names(object: &Value) -> BTreeSet<String> {
    object.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
}

pub async fn next(stream: &mut Stream) -> SseFrame {
    timeout(PATIENCE, stream.next()).await.expect("in time").unwrap().expect("it goes on")
}

fn beginning(server: &TestServer, path: &str) -> String {
    format!("{path}?after={}-0", server.app.store.epoch())
}

/// Gives every stream a sign of life.
fn beat(server: &TestServer) {
    let app = &server.app;
    (0..TURNS).for_each(|turn| app.hub.beat(turn, app.clock.now()));
}

/// Reads to the newest event and returns the ids and types of the events on the way.
async fn to_the_end(server: &TestServer, stream: &mut Stream) -> Vec<(String, String)> {
    let end = server.app.hub.head().to_string();
    let mut heard = Vec::new();
    beat(server);
    loop {
        let frame = next(stream).await;
        let message = frame.json().unwrap();
        let kind = message["type"].as_str().unwrap_or("heartbeat").to_owned();
        let Some(id) = frame.id else { continue };
        match kind.as_str() {
            "heartbeat" if id == end => return heard,
            // It was still on its way.
            "heartbeat" => beat(server),
            "connected" | "stream.connected" => (),
            _ => heard.push((id, kind)),
        }
    }
}

#[test]
fn no_name_stands_twice_in_the_table_and_every_row_has_its_shape() {
    let canonical: BTreeSet<_> = ROWS.iter().map(|row| row.canonical).collect();
    let classic: BTreeSet<_> = ROWS.iter().map(|row| row.classic).collect();
    assert_eq!((canonical.len(), classic.len()), (ROWS.len(), ROWS.len()));
    assert_eq!(classic, SHAPES.iter().map(|(kind, ..)| *kind).collect());
}

#[test]
fn the_table_on_paper_is_the_table_in_the_code() {
    let mut table = "| classic | system | canonical | fields |\n|---|---|---|---|\n".to_owned();
    for row in ROWS {
        let renamed = row.renamed.iter().map(|(ours, theirs)| format!("`{ours}` is `{theirs}`"));
        let lifted = row
            .lifted
            .iter()
            .map(|(ours, theirs)| format!("`{ours}` is `{theirs}`, beside `data`"));
        let fields: Vec<_> = lifted.chain(renamed).collect();
        table += &format!(
            "| `{}` | {} | `{}` | {} |\n",
            row.classic,
            row.system,
            row.canonical,
            if fields.is_empty() { "the same".to_owned() } else { fields.join("; ") }
        );
    }
    let paper = std::fs::read_to_string("docs/events.md").unwrap();
    assert!(paper.contains(&table), "docs/events.md, The classic names:\n{table}");
}

#[tokio::test]
async fn every_row_is_sent_by_a_real_action_and_heard_with_the_fields_of_its_system() {
    let mut house = House::new().await;
    let app = house.server.app.clone();
    let timetable = jobs::Jobs::spawn(&app);
    let heart = tokio::spawn(heartbeat::run(app));
    let path = |path: &str| beginning(&house.server, path);
    let (reader, check_in) = (path("/api/realtime/events"), path("/api/sse/events"));
    let mut of_lead = house.lead.stream(&reader, &[]).await.unwrap();

    house.live_through().await;
    beat(&house.server);

    let mut waiting: BTreeSet<_> = ROWS.iter().map(|row| row.classic).collect();
    waiting.remove("group_access_changed");
    hear(&mut of_lead, waiting).await;
    let mut of_tina = house.tina.1.stream(&check_in, &[]).await.unwrap();
    hear(&mut of_tina, ["group_access_changed"].into()).await;
    timetable.stop().await;
    heart.abort();
}

/// Reads until each of `waiting` has come, and holds every frame against its shape.
async fn hear(stream: &mut Stream, mut waiting: BTreeSet<&str>) {
    let shapes: BTreeMap<_, _> =
        SHAPES.iter().map(|(kind, beside, data)| (*kind, (*beside, *data))).collect();
    while !waiting.is_empty() {
        let heard = timeout(PATIENCE, stream.next()).await;
        let frame = heard.unwrap_or_else(|_| panic!("never heard: {waiting:?}")).unwrap().unwrap();
        assert_eq!(frame.event, None, "old clients listen to plain messages");
        let message = frame.json().unwrap();
        let kind = message["type"].as_str().unwrap();
        let (beside, data) = shapes.get(kind).unwrap_or_else(|| panic!("{kind} has no row"));
        let mut around = words(&format!("type timestamp {beside}"));
        around.extend((!data.is_empty()).then(|| "data".to_owned()));
        around.extend(frame.id.is_some().then(|| "id".to_owned()));
        assert_eq!(names(&message), around, "{message}");
        assert_eq!(names(&message["data"]), words(data), "{message}");
        assert_eq!(message["id"].as_str(), frame.id.as_deref());
        waiting.remove(kind);
    }
}

#[tokio::test]
async fn an_event_has_the_same_place_and_text_on_every_classic_path() {
    let mut house = House::new().await;
    house.live_through().await;
    let server = &house.server;
    let (cookie, _) = lead_again(server).await;
    let mut all = Vec::new();
    for path in EVENT_PATHS {
        let mut stream = house.lead.stream(&beginning(server, path), &[]).await.unwrap();
        assert_eq!(next(&mut stream).await.json().unwrap()["type"], "connected");
        all.push(upto(&mut async || next(&mut stream).await.json().unwrap()).await);
    }
    for path in SOCKET_PATHS {
        let mut socket = Socket::of(server, &cookie, &beginning(server, path)).await.unwrap();
        assert_eq!(socket.next().await["type"], "connected");
        all.push(upto(&mut async || socket.next().await).await);
    }
    assert!(all.iter().all(|heard| *heard == all[0]), "{all:#?}");
}

/// The messages until the help request was cancelled.
async fn upto(next: &mut impl AsyncFnMut() -> Value) -> Vec<Value> {
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last: &Value| last["type"] != "help_request_update") {
        heard.push(next().await);
    }
    heard
}

/// The lead's cookie of a second login.
pub async fn lead_again(server: &TestServer) -> (String, Client) {
    let body = json!({ "username": "lea", "password": crate::store::PASSWORD });
    let answer = server.nobody().post("/api/v1/login", &body).await.unwrap();
    (answer.cookies(), server.nobody().with("cookie", answer.cookies()))
}

#[tokio::test]
async fn nobody_hears_more_than_on_the_canonical_path() {
    let mut house = House::new().await;
    let (_, colleague) = house.server.signed_in("Otto Ohm", Role::Staff).await;
    let (_, member) = house.server.signed_in("Eva Engel", Role::Member).await;
    house.live_through().await;
    let server = &house.server;
    for caller in [&house.lead, &house.tina.1, &colleague, &member] {
        let mut canonical = caller.stream(&beginning(server, "/api/v1/events"), &[]).await.unwrap();
        let expected: Vec<_> = to_the_end(server, &mut canonical)
            .await
            .into_iter()
            .filter_map(|(id, kind)| Some((id, table::find(&kind)?.classic.to_owned())))
            .collect();
        for path in EVENT_PATHS {
            let mut classic = caller.stream(&beginning(server, path), &[]).await.unwrap();
            assert_eq!(to_the_end(server, &mut classic).await, expected, "{path}");
        }
    }
    let mut of_member = member.stream(&beginning(server, EVENT_PATHS[0]), &[]).await.unwrap();
    let heard = to_the_end(server, &mut of_member).await;
    assert!(heard.iter().all(|(_, kind)| kind != "student_checkin"), "{heard:?}");
    for path in EVENT_PATHS.into_iter().chain(SOCKET_PATHS) {
        let foreign = format!("{path}?topics=lead");
        let refused = if EVENT_PATHS.contains(&path) {
            member.get(&foreign).await.unwrap().status
        } else {
            let body = json!({ "username": "eva", "password": crate::store::PASSWORD });
            let cookie = server.nobody().post("/api/v1/login", &body).await.unwrap().cookies();
            Socket::of(server, &cookie, &foreign).await.err().unwrap_or(101)
        };
        assert_eq!(refused, 403, "{path}");
    }
}

/// Tells of one action after the other, and returns the stream's answers in between.
pub async fn act(client: &Client, number: usize) {
    let action = json!({ "event_type": format!("page.{number}") });
    let answer = client.post("/api/activity/track", &action).await.unwrap();
    assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
}

pub fn number(message: &Value) -> Option<usize> {
    message["data"]["event_type"].as_str()?.strip_prefix("page.")?.parse().ok()
}

#[tokio::test]
async fn a_classic_stream_that_comes_back_misses_nothing_and_hears_nothing_twice() {
    let server = TestServer::start().await;
    let (cookie, client) = lead(&server).await;
    let mut last = server.app.hub.head().to_string();
    let (mut heard, mut told) = (Vec::new(), 0);
    for round in 0..4 {
        for _ in 0..3 {
            act(&client, told).await;
            told += 1;
        }
        // What has no classic name stands between, and moves no place.
        crate::websocket::happen(&server, "0000").await;
        let path = EVENT_PATHS[round % 2];
        let mut stream = client.stream(path, &[("last-event-id", &last)]).await.unwrap();
        while heard.len() < told {
            let frame = next(&mut stream).await;
            if let Some(number) = number(&frame.json().unwrap()) {
                heard.push(number);
                last = frame.id.unwrap();
            }
        }
        drop(stream);
        act(&client, told).await;
        told += 1;
        let path = format!("{}?after={last}", SOCKET_PATHS[round % 3]);
        let mut socket = Socket::of(&server, &cookie, &path).await.unwrap();
        while heard.len() < told {
            let message = socket.next().await;
            if let Some(number) = number(&message) {
                heard.push(number);
                last = message["id"].as_str().unwrap().to_owned();
            }
        }
    }
    assert_eq!(heard, (0..told).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_heartbeat_moves_the_place_and_an_unknown_one_is_told() {
    let server = TestServer::start().await;
    let (cookie, client) = lead(&server).await;
    let mut stream = client.stream("/api/sse/events?topics=devices", &[]).await.unwrap();
    let mut socket = Socket::of(&server, &cookie, "/api/ws?topics=devices").await.unwrap();
    assert_eq!(next(&mut stream).await.json().unwrap()["data"]["topics"], json!(["devices"]));
    socket.hear("connected").await;
    crate::websocket::happen(&server, "0000").await;
    let head = server.app.hub.head().to_string();
    beat(&server);
    loop {
        let frame = next(&mut stream).await;
        assert_eq!(frame.json().unwrap()["type"], "heartbeat");
        if frame.id.as_deref() == Some(&head) {
            break;
        }
        beat(&server);
    }
    assert_eq!(socket.hear("heartbeat").await["data"], Value::Null);

    let lost = [("last-event-id", "nonsense")];
    let mut stream = client.stream("/api/realtime/events", &lost).await.unwrap();
    assert_eq!(next(&mut stream).await.json().unwrap()["type"], "connected");
    let again = next(&mut stream).await.json().unwrap();
    assert_eq!(
        (&again["type"], &again["data"]["resync"]),
        (&json!("connected"), &json!("not_a_cursor"))
    );
}
