//! Kiosks: what their screen is told, in which language they answer, who proves it is them by a
//! PIN, and PINs while the house has more to hash than it can take in.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use daybook::base::{Actor, Error, Result};
use daybook::client::Client;
use daybook::domain::people::{Role, pins};
use daybook::live::Hasher;
use daybook::live::hasher::Verdict;
use hyper::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::devices::{TestReader, reader};
use crate::scene::badge;
use crate::server::TestServer;
use crate::store::{PASSWORD, TestStore};

/// A stored hash that takes a thread about a second to compare with.
const SLOW: &str = "$argon2id$v=19$m=131072,t=16,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA";

/// Passwords that wait for their verdict. Once dropped, nobody waits for them any more.
type Crowd = Vec<Pin<Box<dyn Future<Output = Result<Verdict>> + Send>>>;

/// Has so many passwords compared that the hasher takes in no more.
async fn crowd(hasher: &Hasher) -> Crowd {
    let mut crowd: Crowd = Vec::new();
    let mut full = 0;
    // Each thread takes one out of the queue, soon.
    while full < 3 {
        let hasher = hasher.clone();
        let mut verdict: Crowd = vec![Box::pin(async move {
            hasher.verify("some password".to_owned(), Some(SLOW.to_owned())).await
        })];
        match timeout(Duration::from_millis(1), &mut verdict[0]).await {
            Ok(Err(Error::Busy)) => {
                full += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            _ => {
                full = 0;
                crowd.append(&mut verdict);
            }
        }
    }
    crowd
}

/// Lets the crowd go, and waits until there is room again.
async fn disperse(crowd: Crowd, hasher: &Hasher) {
    drop(crowd);
    while hasher.hash("a password".to_owned()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_house_that_is_busy_takes_no_pin_for_a_wrong_one() {
    let server = TestServer::start().await;
    let (eva, client) = server.signed_in("Eva Engel", Role::Staff).await;
    badge(&server, eva, "DEB0E5E5").await;
    let hasher = &server.app.hasher;
    let put = async || {
        let body = json!({ "pin": "2580", "password": PASSWORD });
        client.json(Method::PUT, "/api/v1/me/pin", &body).await.unwrap().status
    };
    let waiting = crowd(hasher).await;
    // More often than guesses are taken.
    for _ in 0..12 {
        assert_eq!(put().await, 503);
    }
    disperse(waiting, hasher).await;
    assert_eq!(put().await, 204);

    let kiosk = reader(&server, json!({ "name": "Hall", "mode": "kiosk" })).await;
    let act = async |pin: &str| {
        let body = json!({ "tag": "DEB0E5E5", "pin": pin, "action": "start_run" });
        kiosk.client.post("/api/v1/device/privileged", &body).await.unwrap().status
    };
    assert_eq!(act("0852").await, 403);
    let waiting = crowd(hasher).await;
    for _ in 0..6 {
        assert_eq!(act("2580").await, 503);
    }
    disperse(waiting, hasher).await;
    // The one wrong PIN is still remembered, and nothing else.
    assert_eq!(server.number("select pin_wrong from account").await, 1);
    assert_eq!(server.number("select pin_locked_until is null from account").await, 1);
    // Right: what is missing is the activity to be started.
    assert_eq!(act("2580").await, 422);
}

/// A kiosk in a library where reading can be started, and Eva with a PIN.
async fn library(server: &TestServer) -> (TestReader, Client, Value, Value) {
    let (eva, client) = server.signed_in("Eva Engel", Role::Staff).await;
    badge(server, eva, "DEB0E5E5").await;
    let pin = json!({ "pin": "2580", "password": PASSWORD });
    assert_eq!(client.json(Method::PUT, "/api/v1/me/pin", &pin).await.unwrap().status, 204);
    let (_, lead) = server.signed_in("Ada Amt", Role::Admin).await;
    let made = async |path: &str, body: Value| {
        lead.post(path, &body).await.unwrap().json().unwrap()["id"].clone()
    };
    let room = made("/api/v1/rooms", json!({ "name": "Library", "capacity": 25 })).await;
    let activity = made("/api/v1/activities", json!({ "name": "Reading" })).await;
    let new = json!({ "name": "Library", "mode": "kiosk", "room_id": room });
    (reader(server, new).await, lead, room, activity)
}

#[tokio::test]
async fn a_kiosk_is_told_where_it_hangs_and_nobodys_name() {
    let server = TestServer::start().await;
    let (kiosk, lead, room, activity) = library(&server).await;
    let place = async || kiosk.client.get("/api/v1/device/place").await.unwrap().json().unwrap();
    let empty = place().await;
    let offers = json!([{ "id": activity, "name": "Reading" }]);
    let free = json!({ "id": room, "name": "Library", "count": 0, "capacity": 25 });
    assert_eq!((&empty["room"], &empty["activities"]), (&free, &offers));
    assert!(empty["house"].is_string() && empty["zone"].is_string());

    let eva = lead.get("/api/v1/people?q=Eva").await.unwrap().json().unwrap();
    let run = json!({ "activity_id": activity, "room_id": room,
        "staff_ids": [eva["items"][0]["id"]] });
    assert_eq!(lead.post("/api/v1/runs", &run).await.unwrap().status, 201);
    let taken = place().await;
    assert_eq!(taken["room"]["run"]["activity_name"], "Reading");
    assert!(!taken.to_string().contains("Eva"), "{taken}");

    // Without a room there is nothing to count and nothing to start.
    let door = reader(&server, json!({ "name": "Door", "mode": "toggle" })).await;
    let at_door = door.client.get("/api/v1/device/place").await.unwrap().json().unwrap();
    assert_eq!((&at_door["room"], &at_door["activities"]), (&Value::Null, &json!([])));
}

#[tokio::test]
async fn a_kiosk_answers_in_the_language_that_stands_on_its_screen() {
    let server = TestServer::start().await;
    let door = reader(&server, json!({ "name": "Door", "mode": "toggle" })).await;
    let line = async |id: &str, lang: Value| {
        let scan = json!({ "scan_id": id, "tag": "DEB0FFFF", "age_ms": 0 });
        let mut body = json!({ "scans": [scan] });
        if !lang.is_null() {
            body["lang"] = lang;
        }
        let answer = door.client.post("/api/v1/device/scans", &body).await.unwrap();
        (answer.status, answer.json().unwrap()["results"][0]["display"]["line1"].clone())
    };
    let german = (200, json!("Diese Karte kennen wir noch nicht."));
    let english = (200, json!("We don't know this card yet."));
    let own = line("S1", Value::Null).await;
    let (asked, other) = if own == german { ("en", &english) } else { ("de", &german) };
    server.advance(Duration::from_secs(2));
    assert_eq!(line("S2", json!(asked)).await, *other);
    server.advance(Duration::from_secs(2));
    assert_eq!(line("S3", Value::Null).await, own);
    assert_eq!(line("S4", json!("fr")).await.0, 400);
}

#[tokio::test]
async fn who_has_no_badge_at_hand_gives_the_user_name() {
    let server = TestServer::start().await;
    let (kiosk, _, _, activity) = library(&server).await;
    server.account("Mia Mai", Role::Member).await;
    let act = async |who: Value, pin: &str| {
        let mut body = json!({ "pin": pin, "action": "start_run", "activity_id": activity });
        for (name, value) in who.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = kiosk.client.post("/api/v1/device/privileged", &body).await.unwrap();
        let json = answer.json().unwrap();
        (answer.status, json["code"].as_str().unwrap_or_default().to_owned())
    };
    // Nobody of this name, a member and a wrong PIN are one answer.
    for (name, pin) in [("nobody", "2580"), ("mia", "2580"), ("eva", "2581")] {
        let refused = act(json!({ "username": name }), pin).await;
        assert_eq!(refused, (403, "pin.wrong".to_owned()), "{name}");
    }
    for who in [json!({}), json!({ "tag": "DEB0E5E5", "username": "eva" })] {
        assert_eq!(act(who, "2580").await.0, 422);
    }
    // The office is known by its PIN, and leads no runs here either.
    let (_, office) = server.signed_in("Oda Ort", Role::Office).await;
    let pin = json!({ "pin": "1357", "password": PASSWORD });
    assert_eq!(office.json(Method::PUT, "/api/v1/me/pin", &pin).await.unwrap().status, 204);
    let refused = act(json!({ "username": "oda" }), "1357").await;
    assert_eq!(refused, (403, "access.role".to_owned()));
    assert_eq!(act(json!({ "username": "Eva" }), "2580").await, (200, String::new()));
    let acted = "select count(*) from audit where act = 'kiosk.acted'";
    assert_eq!(server.number(acted).await, 1);
}

#[tokio::test]
async fn a_wrong_pin_costs_the_same_whether_the_name_is_known_or_not() {
    let server = TestServer::start().await;
    let (kiosk, _, _, activity) = library(&server).await;
    server.account("Mia Mai", Role::Member).await;
    let commits = async |name: &str| {
        let body = json!({ "username": name, "pin": "2581", "action": "start_run",
            "activity_id": activity });
        let before = server.app.hub.metrics().commits_tried();
        let refused = kiosk.client.post("/api/v1/device/privileged", &body).await.unwrap();
        assert_eq!(refused.status, 403, "{name}");
        server.app.hub.metrics().commits_tried() - before
    };
    // The key is noted as used by the first call of a reader.
    commits("eva").await;
    let known = commits("eva").await;
    assert_eq!((known, commits("nobody").await, commits("mia").await), (2, 2, 2));
}

// Fault 117, as far as PINs go.
#[tokio::test]
async fn a_clock_that_is_set_back_locks_no_pin_for_longer() {
    let store = TestStore::new().await;
    let eva = store.account("Eva Engel", Role::Staff).await;
    let attempt = || store.write(Actor::System, move |tx| pins::attempt(tx, eva));
    for _ in 0..5 {
        attempt().await.unwrap();
    }
    let locked = attempt().await.unwrap_err();
    assert!(matches!(locked, Error::TooMany { retry_after_s: 1..=901, .. }), "{locked:?}");
    store.now.fetch_sub(24 * 3_600_000, Ordering::Relaxed);
    attempt().await.unwrap();
}
