//! Repeats of a POST under one `Idempotency-Key`: which routes take it, and what they do then.
//! What is changed otherwise (PUT, PATCH, DELETE) takes none: a repeat changes nothing more.

use daybook::base::Actor;
use daybook::client::{Answer, Client};
use daybook::domain::people::Role;
use daybook::domain::rooms::{self, RoomKind, model};
use daybook::http::document::listing;
use hyper::Method;
use serde_json::{Value, json};

use crate::access::{callers, concrete};
use crate::devices::reader;
use crate::schema::document;
use crate::server::TestServer;
use crate::store::PASSWORD;

/// The POST routes without a key, and why they can be.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("/api/v1/login", "asked with a password; answers with a session"),
    ("/api/v1/setup", "asked with a password; the code is good once"),
    ("/api/v1/stream-tickets", "answers with a ticket"),
    ("/api/v1/people/{id}/account", "may answer with a password; there is one account at most"),
    ("/api/v1/devices/enrolment-codes", "answers with a code"),
    ("/api/v1/device/enroll", "answers with a key; the code is good once"),
    ("/api/v1/displays", "answers with a token"),
    ("/api/v1/displays/sign-in", "asked with a token; answers with a cookie"),
    ("/api/v1/displays/pairing", "answers with a cookie; while it holds a second one is the same"),
    ("/api/v1/logout", "a second one ends nothing"),
    ("/api/v1/device/commands/{id}/ack", "a second one changes nothing"),
    ("/api/ws/subscribe", "a second one changes nothing"),
    ("/api/ws/unsubscribe", "a second one changes nothing"),
    ("/api/v1/device/heartbeat", "tells how it is now"),
    ("/api/v1/device/scans", "a scan has its own id"),
    ("/api/v1/device/tap", "two taps within 1.5 s are one"),
    ("/setup", "a form"),
    ("/sign-in", "a form"),
    ("/sign-out", "a form"),
];

/// A key that is too long is refused by whoever reads it, and by nobody else.
#[tokio::test]
async fn posts_alone_take_a_key_as_the_document_says_or_are_exceptions_with_a_reason() {
    let server = TestServer::start().await;
    let callers = callers(&server).await;
    let (document, long) = (document(), "k".repeat(201));
    let changing = listing(&daybook::http::routes().1).into_iter().filter(|r| r.changes);
    let (mut wrong, mut known) = (Vec::new(), 0);
    for route in changing {
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        let operation = &document["paths"][&route.path][route.method.to_lowercase()];
        let parameters = operation["parameters"].as_array();
        let says = parameters.into_iter().flatten().any(|p| p["name"] == "Idempotency-Key");
        let listed = EXCEPTIONS.iter().any(|(path, why)| *path == route.path && !why.is_empty());
        let exception = method != Method::POST || listed;
        known += usize::from(method == Method::POST && listed);
        let caller = callers.iter().find(|(word, _)| {
            route.may.iter().any(|may| may == word || may == "anyone" && word.is_empty())
        });
        let (_, client) = caller.unwrap();
        let headers = [("content-type", "application/json"), ("idempotency-key", long.as_str())];
        let path = concrete(&route.path);
        // Ending the session would end the test; that it has no key is seen in the document.
        let takes = !path.ends_with("/logout")
            && refuses_key(&client.send(method, &path, &headers, "{}".into()).await.unwrap());
        if takes != says || says == exception {
            wrong.push(format!("{} {}: takes {takes}, says {says}", route.method, route.path));
        }
    }
    assert_eq!((wrong, known), (Vec::<String>::new(), EXCEPTIONS.len()));
}

fn refuses_key(answer: &Answer) -> bool {
    answer.status == 400 && String::from_utf8_lossy(&answer.body).contains("Idempotency-Key")
}

async fn post(client: &Client, path: &str, kind: &str, key: &str, body: &str) -> (u16, Value) {
    let headers = [("content-type", kind), ("idempotency-key", key)];
    let body = body.to_owned().into();
    let answer = client.send(Method::POST, path, &headers, body).await.unwrap();
    (answer.status, answer.json().unwrap())
}

#[tokio::test]
async fn a_file_is_taken_over_once_under_its_key_however_often_it_is_tried_first() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let file = "Vorname;Nachname;Chip;Note\nMia;Berg;04A1B2C3;1\nTom;Berg;04A1B2C4;2\n";
    let import = async |query: &str, file: &str| {
        let path = format!("/api/v1/people/import{query}");
        post(&admin, &path, "text/csv", "k1", file).await
    };
    let broken = file.replace("04A1B2C4", "04A1B2C3");
    assert_eq!(import("", &broken).await.1["code"], "import.refused");
    assert_eq!(import("?dry_run=true", file).await.1["new"], 2);
    let (status, first) = import("", file).await;
    assert_eq!((status, &first["new"], &first["imported"]), (200, &json!(2), &json!(true)));
    // Somebody was changed since: a repeat is still the first time.
    let mia = server.number("select person_id from person where given_name = 'Mia'").await;
    let change = json!({ "family_name": "Tal" });
    let path = format!("/api/v1/people/{mia}");
    assert_eq!(admin.json(Method::PATCH, &path, &change).await.unwrap().status, 200);
    assert_eq!(import("", file).await, (200, first));
    assert_eq!(server.number("select count(*) from person where family_name = 'Tal'").await, 1);
    // The key stands for this file and this manner.
    for (query, file) in [("", "Vorname;Nachname\nCem;Can\n"), ("?dry_run=false", file)] {
        let (status, problem) = import(query, file).await;
        assert_eq!((status, &problem["field"]), (422, &json!("Idempotency-Key")), "{query}");
    }
    assert_eq!(server.number("select count(*) from person where role = 'member'").await, 2);
    let (_, anew) = post(&admin, "/api/v1/people/import", "text/csv", "k2", file).await;
    assert_eq!(anew["details"]["errors"][0]["code"], "import.badge_taken");
}

#[tokio::test]
async fn a_run_that_a_kiosk_started_is_not_taken_when_the_answer_was_lost() {
    let server = TestServer::start().await;
    let (eva, client) = server.signed_in("Eva Engel", Role::Staff).await;
    crate::scene::badge(&server, eva, "DEB0E5E5").await;
    let room = crate::fixture::room(&server, "Library").await;
    let gym = model::NewRoom { name: "Gym".to_owned(), kind: RoomKind::Room, capacity: 30 };
    let new = model::NewActivity { name: "Reading".to_owned(), default_room: None };
    let activity = server
        .write(Actor::System, move |tx| {
            rooms::commands::new_room(tx, &gym)?;
            rooms::commands::new_activity(tx, &new)
        })
        .await
        .unwrap();
    let set = async |pin: &str| {
        let body = json!({ "pin": pin, "password": PASSWORD });
        assert_eq!(client.json(Method::PUT, "/api/v1/me/pin", &body).await.unwrap().status, 204);
    };
    set("2580").await;
    let kiosk = json!({ "name": "Library", "mode": "kiosk", "room_id": room });
    let kiosk = reader(&server, kiosk).await;
    let act = async |key: &str, pin: &str, action: &str| {
        let body = json!({
            "tag": "DEB0E5E5", "pin": pin, "action": action, "activity_id": activity
        });
        let path = "/api/v1/device/privileged";
        post(&kiosk.client, path, "application/json", key, &body.to_string()).await
    };
    let (status, first) = act("k1", "2580", "start_run").await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(act("k1", "2580", "start_run").await, (200, first.clone()));
    assert_eq!(act("k2", "2580", "start_run").await.0, 409);
    let (status, other) = act("k1", "2580", "end_run").await;
    assert_eq!((status, &other["field"]), (422, &json!("Idempotency-Key")));
    // The key alone opens nothing, and nothing that is kept was made with the PIN.
    assert_eq!(act("k1", "8520", "start_run").await.1["code"], "pin.wrong");
    set("8520").await;
    assert_eq!(act("k1", "8520", "start_run").await, (200, first));
    let acted = "select count(*) from audit where act = 'kiosk.acted'";
    assert_eq!(server.number(acted).await, 1);
}
