//! Text of any letters: kept and told as it was written, and part of nothing that it stands in.

use daybook::base::Actor;
use daybook::domain::people::Role;
use hyper::Method;
use serde_json::{Value, json};

use crate::callers::next;
use crate::devices::reader;
use crate::fixture;
use crate::server::TestServer;

/// Names that mean something to a page, a table or a terminal, and names of far-away letters.
const NAMES: [&str; 9] = [
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "\"'`&amp;\\",
    "'; drop table person; --",
    "=1+1",
    "data: x",
    "Zoe\u{308} \u{1F469}\u{200D}\u{1F467}",
    "\u{202E}miA\u{202C}",
    "\u{20BB7}野家",
];

/// Faults 26 and 27.
#[tokio::test]
async fn a_name_of_any_letters_is_the_same_wherever_it_is_told() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let mut stream = admin.stream("/api/v1/events", &[]).await.unwrap();
    for name in NAMES {
        let new = json!({ "given_name": name, "family_name": "Berg", "role": "member" });
        let made = admin.post("/api/v1/people", &new).await.unwrap().json().unwrap();
        let path = format!("/api/v1/people/{}", made["id"].as_str().unwrap());
        let kept = admin.get(&path).await.unwrap().json().unwrap();
        assert_eq!(kept["given_name"], name);
        let came = format!("/api/v1/attendance/{}", made["id"].as_str().unwrap());
        admin.post(&came, &json!({ "status": "present" })).await.unwrap();
        let told = loop {
            let frame = next(&mut stream).await.unwrap();
            if frame.event.as_deref() == Some("attendance.checked_in") {
                break frame.json().unwrap();
            }
        };
        assert_eq!(told["data"]["display_name"], format!("{name} Berg"));
        let room = admin.post("/api/v1/rooms", &json!({ "name": name, "capacity": 3 })).await;
        assert_eq!(room.unwrap().json().unwrap()["name"], name);
    }
    let rooms = admin.get("/api/v1/rooms").await.unwrap().json().unwrap();
    let mut named: Vec<&str> = rooms["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|room| room["name"].as_str())
        .collect();
    let mut wanted = NAMES;
    named.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(named, wanted);
    assert_eq!(server.number("select count(*) from person").await, 1 + NAMES.len() as i64);
}

/// Names that look like no name at all: what steers a text, a filler, a blank of other letters.
const UNSEEN: [&str; 6] =
    ["\u{200B}", " \u{AD}\u{AD}", "\u{2060}", "\u{FEFF} ", "\u{3164}", "\u{2800}"];

/// Fault 23: a name that nobody can see is as long as none.
#[tokio::test]
async fn a_name_that_nobody_can_see_is_no_name() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let mia = server.member("Mia Berg", "04A1B2C3").await;
    let gym = fixture::room(&server, "Gym").await;
    let reader = reader(&server, json!({ "name": "Door", "mode": "toggle" })).await;
    let (mia, gym) = (format!("/api/v1/people/{mia}"), format!("/api/v1/rooms/{gym}"));
    let (contacts, door) = (format!("{mia}/contacts"), format!("/api/v1/devices/{}", reader.id));
    for name in UNSEEN {
        let person = |given: &str, family: &str| json!({ "given_name": given, "family_name": family, "role": "member" });
        let known = json!({ "given_name": "Ida", "family_name": "Ott", "role": "member",
            "display_name": name });
        for (method, path, body, field) in [
            (Method::POST, "/api/v1/people", person(name, "Berg"), "given_name"),
            (Method::POST, "/api/v1/people", person("Mia", name), "family_name"),
            (Method::POST, "/api/v1/people", known, "display_name"),
            (Method::PATCH, &mia, json!({ "given_name": name }), "given_name"),
            (Method::PATCH, &mia, json!({ "display_name": name }), "display_name"),
            (Method::POST, &contacts, json!({ "name": name }), "name"),
            (Method::POST, "/api/v1/rooms", json!({ "name": name, "capacity": 3 }), "name"),
            (Method::PATCH, &gym, json!({ "name": name }), "name"),
            (Method::POST, "/api/v1/groups", json!({ "name": name, "kind": "care" }), "name"),
            (Method::POST, "/api/v1/activities", json!({ "name": name }), "name"),
            (
                Method::POST,
                "/api/v1/devices/enrolment-codes",
                json!({ "name": name, "mode": "toggle" }),
                "name",
            ),
            (Method::PATCH, &door, json!({ "name": name }), "name"),
            (Method::POST, "/api/v1/displays", json!({ "name": name }), "name"),
        ] {
            let json = [("content-type", "application/json")];
            let answer = admin.send(method.clone(), path, &json, body.to_string().into()).await;
            let answer = answer.unwrap();
            let problem = answer.json().unwrap();
            let told = (answer.status, problem["field"].as_str());
            assert_eq!(told, (422, Some(field)), "{method} {path} {name:?}: {problem}");
        }
    }
    assert_eq!(server.number("select count(*) from person").await, 2);
    // In a list of a house that was put together elsewhere it is an empty cell.
    let file = "Vorname;Nachname;Klasse\n\u{AD};\u{3164};1a\nIda;Ott;\u{2060}\u{AD}\n";
    let csv = [("content-type", "text/csv")];
    let path = "/api/v1/people/import?dry_run=true";
    let plan = admin.send(Method::POST, path, &csv, file.into()).await.unwrap().json().unwrap();
    let errors = plan["errors"].as_array().unwrap();
    assert_eq!((errors.len(), &errors[0]["code"]), (1, &json!("import.no_name")), "{plan}");
}

/// Fault 26.
#[tokio::test]
async fn the_name_of_a_house_is_text_in_each_page_that_shows_it() {
    let server = TestServer::start().await;
    server.account("Ada Lead", Role::Admin).await;
    for name in NAMES.iter().filter(|name| name.contains(['<', '"'])) {
        server
            .write(Actor::System, move |tx| Ok(tx.execute("update house set name = ?1", [name])?))
            .await
            .unwrap();
        for path in ["/sign-in", "/kiosk", "/nowhere", "/pair"] {
            let read = [("accept", "text/html")];
            let page = server.nobody().send(Method::GET, path, &read, "".into()).await.unwrap();
            let page = String::from_utf8(page.body.to_vec()).unwrap();
            assert!(!page.contains(name), "{path}: {page}");
            let shown = ["/kiosk", "/nowhere"].contains(&path);
            assert!(!shown || page.contains("&#"), "{path}: {page}");
        }
    }
    let me: Value = server.sign_in("ada").await.get("/api/v1/me").await.unwrap().json().unwrap();
    assert_eq!(me["house"]["name"], NAMES[2], "{me}");
}
