//! Badge readers and wall screens: being let in, keys, heartbeats, alarms, orders.

use std::time::Duration;

use daybook::base::Actor;
use daybook::base::id::{DeviceId, PersonId};
use daybook::client::{Answer, Client, Stream};
use daybook::domain::devices;
use daybook::domain::people::Role;
use hyper::Method;
use serde_json::{Value, json};

use crate::server::TestServer;
use crate::store::START;

const MINUTE: Duration = Duration::from_secs(60);

/// A badge reader in a test.
pub struct TestReader {
    pub id: DeviceId,
    pub key: String,
    pub client: Client,
}

/// Lets a reader in, as an admin and the reader itself would.
pub async fn reader(server: &TestServer, new: Value) -> TestReader {
    let code = code_for(server, new).await;
    let answer = enroll(server, &code).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    let enrolled = answer.json().unwrap();
    let key = text(&enrolled["key"]);
    let id = DeviceId(text(&enrolled["device_id"]).parse().unwrap());
    TestReader { id, client: with_key(server, &key), key }
}

/// A caller that shows this key, and no origin: readers have none.
pub fn with_key(server: &TestServer, key: &str) -> Client {
    Client::new(server.address).with("authorization", format!("Bearer {key}"))
}

async fn code_for(server: &TestServer, new: Value) -> String {
    let new = devices::model::NewCode {
        name: text(&new["name"]),
        mode: text(&new["mode"]).parse().unwrap(),
        room: new["room_id"].as_str().map(|id| id.parse().unwrap()),
    };
    let issue = move |tx: &mut daybook::live::Tx<'_>| devices::commands::issue_code(tx, &new);
    server.write(Actor::System, issue).await.unwrap().text
}

async fn enroll(server: &TestServer, code: &str) -> Answer {
    let body = json!({ "code": code, "serial": "SN-1", "model": "RC522", "firmware": "1.0.0" });
    Client::new(server.address).post("/api/v1/device/enroll", &body).await.unwrap()
}

pub async fn beat(client: &Client, more: Value) -> Answer {
    let mut body = json!({
        "boot_id": "b1", "firmware": "1.0.0", "uptime_s": 60, "queue_depth": 0, "last_seq": 3
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    client.post("/api/v1/device/heartbeat", &body).await.unwrap()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn code(answer: &Answer) -> String {
    text(&answer.json().unwrap()["code"])
}

/// The next frame of this type.
pub async fn heard(stream: &mut Stream, kind: &str) -> Value {
    let next = async {
        loop {
            let frame = stream.next().await.unwrap().expect("the stream ended");
            if frame.event.as_deref() == Some(kind) {
                return frame.json().unwrap()["data"].clone();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), next).await.expect("not heard")
}

async fn admin(server: &TestServer) -> (PersonId, Client) {
    server.signed_in("Lea Lead", Role::Admin).await
}

pub async fn listed(admin: &Client, id: DeviceId) -> Value {
    let list = admin.get("/api/v1/devices").await.unwrap().json().unwrap();
    assert!(list["cursor"].is_string() && list["as_of"].is_string());
    let found = list["items"].as_array().unwrap().iter().find(|d| d["id"] == id.to_string());
    found.cloned().unwrap_or(Value::Null)
}

#[tokio::test]
async fn a_reader_is_let_in_once_by_its_code_and_greeted_with_what_it_is_to_be() {
    let server = TestServer::start().await;
    let (_, admin) = admin(&server).await;
    let mut stream = admin.stream("/api/v1/events?topics=devices", &[]).await.unwrap();
    let new = json!({ "name": "Front door", "mode": "door_in" });
    let made = admin.post("/api/v1/devices/enrolment-codes", &new).await.unwrap();
    assert_eq!(made.status, 201);
    let made = made.json().unwrap();
    assert_eq!(made["expires_at"], json!(START.plus(15 * MINUTE)));
    let shown = text(&made["code"]);

    // Typed by hand: case and dashes do not matter.
    let answer = enroll(&server, &format!(" {} ", shown.to_lowercase().replace('-', ""))).await;
    let enrolled = answer.json().unwrap();
    assert_eq!(answer.status, 201);
    assert_eq!(enrolled["server_time"], json!(START));
    let config = json!({
        "mode": "door_in", "room_id": null, "lang": "de", "tones": true, "show_name": "first",
        "daily_checkout_from": null, "buffer_max": 2000
    });
    assert_eq!(enrolled["config"], config);
    let told = heard(&mut stream, "device.status_changed").await;
    let said = json!({
        "device_id": enrolled["device_id"], "state": "online", "queue_depth": 0,
        "firmware": "1.0.0", "alarms": []
    });
    assert_eq!(told, said);

    let again = enroll(&server, &shown).await;
    assert_eq!((again.status, code(&again)), (410, "device.enroll_code_used".to_owned()));
    let secrets = server
        .number("select count(*) from device where length(key_hash) = 32 and key_prefix <> ''")
        .await;
    assert_eq!(secrets, 1);
}

#[tokio::test]
async fn a_code_that_is_too_old_is_gone_and_one_that_never_was_is_refused() {
    let server = TestServer::start().await;
    let old = code_for(&server, json!({ "name": "Gym", "mode": "toggle" })).await;
    server.advance(15 * MINUTE);
    let answer = enroll(&server, &old).await;
    assert_eq!((answer.status, code(&answer)), (410, "device.enroll_code_expired".to_owned()));
    let wrong = enroll(&server, "AAAA-AAAA-AAAA").await;
    assert_eq!((wrong.status, code(&wrong)), (403, "device.enroll_code_wrong".to_owned()));
    let mut last = 0;
    for _ in 0..30 {
        last = enroll(&server, "AAAA-AAAA-AAAB").await.status;
    }
    assert_eq!(last, 429);
    assert_eq!(server.number("select count(*) from device").await, 0);
}

#[tokio::test]
async fn a_heartbeat_tells_how_a_reader_is_and_brings_its_orders() {
    let server = TestServer::start().await;
    let (_, admin) = admin(&server).await;
    let reader = reader(&server, json!({ "name": "Gym", "mode": "toggle" })).await;
    let path = format!("/api/v1/devices/{}/commands", reader.id);
    let order = admin.post(&path, &json!({ "kind": "identify" })).await.unwrap();
    assert_eq!(order.status, 202);

    let fields = json!({
        "firmware": "1.2.0", "queue_depth": 7, "oldest_age_s": 30, "rssi": -61,
        "free_heap": 81_000, "battery": 80, "device_time": START.plus(Duration::from_secs(3600))
    });
    let answer = beat(&reader.client, fields).await;
    let pulse = answer.json().unwrap();
    assert_eq!(answer.status, 200, "{pulse}");
    assert_eq!((&pulse["next_s"], &pulse["server_time"]), (&json!(60), &json!(START)));
    assert_eq!(
        pulse["commands"],
        json!([{ "id": order.json().unwrap()["id"], "kind": "identify" }])
    );

    let device = listed(&admin, reader.id).await;
    assert_eq!(device["skew_ms"], 3_600_000);
    assert_eq!(
        (&device["state"], &device["alarms"], &device["firmware"], &device["battery"]),
        (&json!("online"), &json!(["clock"]), &json!("1.2.0"), &json!(80))
    );
    let ack = format!("/api/v1/device/commands/{}/ack", text(&pulse["commands"][0]["id"]));
    for _ in 0..2 {
        assert_eq!(reader.client.post(&ack, &json!({})).await.unwrap().status, 204);
    }
    let after = beat(&reader.client, json!({})).await.json().unwrap();
    assert_eq!(after["commands"], json!([]));
    let foreign = reader.client.post("/api/v1/device/commands/999/ack", &json!({})).await.unwrap();
    assert_eq!(foreign.status, 404);
}

#[tokio::test]
async fn a_reader_fetches_its_configuration_only_when_it_has_changed() {
    let server = TestServer::start().await;
    let (_, admin) = admin(&server).await;
    let reader = reader(&server, json!({ "name": "Gym", "mode": "toggle" })).await;
    let get = async |etag: &str| {
        let headers = [("if-none-match", etag)];
        let path = "/api/v1/device/config";
        reader.client.send(Method::GET, path, &headers, Default::default()).await.unwrap()
    };
    let first = get("\"\"").await;
    let etag = first.headers["etag"].to_str().unwrap().to_owned();
    let told = beat(&reader.client, json!({})).await.json().unwrap();
    assert_eq!(etag, format!("\"{}\"", text(&told["config_etag"])));
    assert_eq!((first.status, get(&etag).await.status), (200, 304));

    let path = format!("/api/v1/devices/{}", reader.id);
    let change = json!({
        "name": "Sports hall", "show_name": "none", "daily_checkout_from": "15:30", "lang": "en"
    });
    let changed = admin.json(Method::PATCH, &path, &change).await.unwrap();
    assert_eq!(changed.status, 200, "{}", String::from_utf8_lossy(&changed.body));
    assert_eq!(changed.json().unwrap()["name"], "Sports hall");
    let second = get(&etag).await;
    let config = second.json().unwrap();
    assert_eq!((second.status, &config["daily_checkout_from"]), (200, &json!("15:30")));
    assert_eq!((&config["lang"], &config["mode"]), (&json!("en"), &json!("toggle")));
    assert_ne!(second.headers["etag"].to_str().unwrap(), etag);

    let change = json!({ "daily_checkout_from": null });
    let emptied = admin.json(Method::PATCH, &path, &change).await.unwrap().json().unwrap();
    assert_eq!(emptied["config"]["daily_checkout_from"], Value::Null);
    for (wrong, status) in [
        (json!({ "mode": "room" }), 422),
        (json!({ "room_id": "99" }), 422),
        (json!({ "buffer_max": 5 }), 422),
        (json!({ "mode": "window" }), 400),
        (json!({ "modus": "toggle" }), 400),
        (json!({ "daily_checkout_from": "25:00" }), 400),
    ] {
        let answer = admin.json(Method::PATCH, &path, &wrong).await.unwrap();
        assert_eq!(answer.status, status, "{wrong}");
        assert!(answer.json().unwrap()["field"].is_string(), "{wrong}");
    }
}

#[tokio::test]
async fn both_keys_are_good_until_the_new_one_is_used() {
    let server = TestServer::start().await;
    let (_, admin) = admin(&server).await;
    let reader = reader(&server, json!({ "name": "Gym", "mode": "toggle" })).await;
    let roll = format!("/api/v1/devices/{}/roll-key", reader.id);
    assert_eq!(admin.post(&roll, &json!({})).await.unwrap().status, 202);
    let pulse = beat(&reader.client, json!({})).await.json().unwrap();
    assert_eq!(pulse["commands"][0]["kind"], "roll_key");
    // The answer was lost, say: the next one brings a key that works.
    let pulse = beat(&reader.client, json!({})).await.json().unwrap();
    let renewed = with_key(&server, &text(&pulse["commands"][0]["key"]));
    assert_eq!(listed(&admin, reader.id).await["rolling"], true);

    assert_eq!(reader.client.get("/api/v1/device/config").await.unwrap().status, 200);
    assert_eq!(renewed.get("/api/v1/device/config").await.unwrap().status, 200);
    assert_eq!(reader.client.get("/api/v1/device/config").await.unwrap().status, 401);
    assert_eq!(beat(&renewed, json!({})).await.json().unwrap()["commands"], json!([]));
    assert_eq!(listed(&admin, reader.id).await["rolling"], false);
}

#[tokio::test]
async fn a_new_key_that_nobody_used_for_a_day_lapses_and_the_old_one_stays() {
    let server = TestServer::start().await;
    let (_, admin) = admin(&server).await;
    let reader = reader(&server, json!({ "name": "Gym", "mode": "toggle" })).await;
    let roll = format!("/api/v1/devices/{}/roll-key", reader.id);
    admin.post(&roll, &json!({})).await.unwrap();
    let pulse = beat(&reader.client, json!({})).await.json().unwrap();
    let renewed = with_key(&server, &text(&pulse["commands"][0]["key"]));
    server.advance(24 * 60 * MINUTE);
    assert_eq!(renewed.get("/api/v1/device/config").await.unwrap().status, 401);
    assert_eq!(reader.client.get("/api/v1/device/config").await.unwrap().status, 200);
}

// Fault 88.
#[tokio::test]
async fn a_revoked_a_wrong_and_a_broken_key_are_one_answer() {
    let server = TestServer::start().await;
    let (_, admin) = admin(&server).await;
    let gym = reader(&server, json!({ "name": "Gym", "mode": "toggle" })).await;
    let mut stream = admin.stream("/api/v1/events?topics=devices", &[]).await.unwrap();
    let path = format!("/api/v1/devices/{}/revoke", gym.id);
    assert_eq!(admin.post(&path, &json!({})).await.unwrap().status, 204);
    assert_eq!(heard(&mut stream, "device.status_changed").await["state"], "revoked");
    let prefix = gym.key.split('.').next().unwrap();
    let mut bodies = Vec::new();
    for key in [
        gym.key.clone(),
        format!("{prefix}.{}", "0".repeat(64)),
        format!("RAAAAAAA.{}", "0".repeat(64)),
        "x".repeat(5000),
        ".".to_owned(),
    ] {
        let answer = with_key(&server, &key).get("/api/v1/device/config").await.unwrap();
        let mut body = answer.json().unwrap();
        body["request_id"] = Value::Null;
        bodies.push((answer.status, body.to_string()));
    }
    assert_eq!(bodies[0].0, 401);
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    // In words for a reader, which signs nowhere in.
    for refused in [beat(&gym.client, json!({})).await, beat(&server.nobody(), json!({})).await] {
        assert_eq!((refused.status, code(&refused)), (401, "device.key_wrong".to_owned()));
    }

    // Its history stays, and nothing can be done with it any more.
    assert_eq!(listed(&admin, gym.id).await["state"], "revoked");
    let order = format!("/api/v1/devices/{}/commands", gym.id);
    let refused = admin.post(&order, &json!({ "kind": "reboot" })).await.unwrap();
    assert_eq!((refused.status, code(&refused)), (409, "device.revoked".to_owned()));
}

// Fault 66.
#[tokio::test]
async fn keys_are_for_the_routes_of_readers_and_cookies_for_those_of_people() {
    let server = TestServer::start().await;
    let (_, admin) = admin(&server).await;
    let gym = reader(&server, json!({ "name": "Gym", "mode": "toggle" })).await;
    for path in ["/api/v1/me", "/api/v1/devices", "/api/v1/events", "/api/v1/sessions"] {
        assert_eq!(gym.client.get(path).await.unwrap().status, 403, "{path}");
    }
    assert_eq!(admin.get("/api/v1/device/config").await.unwrap().status, 403);
    assert_eq!(beat(&admin, json!({})).await.status, 403);
    // A wrong key is not made up for by a good cookie.
    let both = admin.with("authorization", "Bearer nonsense.1");
    assert_eq!(both.get("/api/v1/me").await.unwrap().status, 401);
    let nobody = server.nobody().get("/api/v1/device/config").await.unwrap();
    assert_eq!(nobody.status, 401);
    let (_, staff) = server.signed_in("Sam Staff", Role::Staff).await;
    let list = staff.get("/api/v1/devices").await.unwrap();
    assert_eq!((list.status, list.json().unwrap()["items"].clone()), (200, json!([])));
}

#[tokio::test]
async fn a_reader_that_falls_silent_is_late_then_offline_and_said_to_be() {
    let server = TestServer::start().await;
    let (_, admin) = admin(&server).await;
    let gym = reader(&server, json!({ "name": "Gym", "mode": "toggle" })).await;
    beat(&gym.client, json!({})).await;
    let mut stream = admin.stream("/api/v1/events?topics=devices", &[]).await.unwrap();
    let watch = async || server.write(Actor::System, devices::health::watch).await.unwrap();
    server.advance(3 * MINUTE);
    watch().await;
    server.advance(MINUTE);
    watch().await;
    assert_eq!(heard(&mut stream, "device.status_changed").await["state"], "late");
    server.advance(6 * MINUTE);
    watch().await;
    watch().await;
    assert_eq!(heard(&mut stream, "device.status_changed").await["state"], "offline");
    let counts = server.read(devices::queries::counts).await;
    assert_eq!((counts.online, counts.offline), (0, 1));
    beat(&gym.client, json!({ "queue_depth": 40, "oldest_age_s": 600 })).await;
    let back = heard(&mut stream, "device.status_changed").await;
    assert_eq!((&back["state"], &back["alarms"]), (&json!("online"), &json!(["queue"])));
    assert_eq!(back["queue_depth"], 40);
    beat(&gym.client, json!({})).await;
    assert_eq!(heard(&mut stream, "device.status_changed").await["alarms"], json!([]));
}

#[tokio::test]
async fn a_reader_that_starts_again_and_again_rings_an_alarm_for_an_hour() {
    let server = TestServer::start().await;
    let (_, admin) = admin(&server).await;
    let gym = reader(&server, json!({ "name": "Gym", "mode": "toggle" })).await;
    for boot in 1..=5 {
        assert_eq!(listed(&admin, gym.id).await["alarms"], json!([]), "{boot}");
        server.advance(MINUTE);
        beat(&gym.client, json!({ "boot_id": format!("boot{boot}") })).await;
    }
    assert_eq!(listed(&admin, gym.id).await["alarms"], json!(["boot_loop"]));
    server.advance(60 * MINUTE);
    beat(&gym.client, json!({ "boot_id": "boot5" })).await;
    assert_eq!(listed(&admin, gym.id).await["alarms"], json!([]));
    for boot in 6..=16 {
        server.advance(14 * MINUTE);
        beat(&gym.client, json!({ "boot_id": format!("boot{boot}") })).await;
        let alarms = if boot < 10 { json!([]) } else { json!(["boot_loop"]) };
        assert_eq!(listed(&admin, gym.id).await["alarms"], alarms, "{boot}");
    }
}

#[tokio::test]
async fn what_is_no_heartbeat_is_refused_with_its_field() {
    let server = TestServer::start().await;
    let gym = reader(&server, json!({ "name": "Gym", "mode": "toggle" })).await;
    for (field, value, status) in [
        ("uptime_s", json!(-1), 400),
        ("queue_depth", json!("many"), 400),
        ("device_time", json!("2026-11-20T10:00:00"), 400),
        ("secret", json!(1), 400),
        ("battery", json!(101), 422),
        ("boot_id", json!(""), 422),
        ("firmware", json!("x".repeat(81)), 422),
    ] {
        let answer = beat(&gym.client, json!({ field: value })).await;
        assert_eq!(answer.status, status, "{field}");
        assert_eq!(text(&answer.json().unwrap()["field"]), field);
    }
    // Fault 85: any moment that can be written is a time.
    for time in ["1970-01-01T00:00:00Z", "2099-12-31T23:59:59Z", "2026-11-20T10:00:00+01:00"] {
        assert_eq!(beat(&gym.client, json!({ "device_time": time })).await.status, 200, "{time}");
    }
}
