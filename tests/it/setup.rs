//! The first start: who has the code from the console becomes the admin of the house.

use std::time::Duration;

use daybook::base::Actor;
use daybook::client::Answer;
use daybook::domain::people::{self, Role};
use serde_json::json;

use crate::server::TestServer;
use crate::store::{PASSWORD, TestStore};

const HOUR: Duration = Duration::from_secs(3600);

fn code(answer: &Answer) -> String {
    answer.json().unwrap()["code"].as_str().unwrap_or_default().to_owned()
}

// Fault 37.
#[tokio::test]
async fn a_new_house_is_set_up_once_by_who_has_the_code() {
    let server = TestServer::of(TestStore::empty()).await;
    let client = server.nobody();
    let needed = client.get("/api/v1/setup").await.unwrap().json().unwrap();
    assert_eq!(needed, json!({ "needed": true }));
    let code_shown = server.write(Actor::System, people::setup::new_code).await.unwrap();
    let setup = |code: &str, password: &str| {
        json!({ "code": code, "house_name": "Lindenschule", "profile": "school",
            "zone": "Europe/Berlin", "language": "de", "username": "eva",
            "display_name": "Eva Chef", "password": password })
    };
    let path = "/api/v1/setup";
    let wrong = client.post(path, &setup("2222-3333-4444", PASSWORD)).await.unwrap();
    assert_eq!((wrong.status, code(&wrong)), (403, "setup.code_wrong".to_owned()));
    let weak = client.post(path, &setup(&code_shown, "Lindenschule")).await.unwrap();
    assert_eq!((weak.status, &weak.json().unwrap()["field"]), (422, &json!("password")));
    let typed = code_shown.to_lowercase().replace('-', " ");
    let done = client.post(path, &setup(&typed, PASSWORD)).await.unwrap();
    assert_eq!(done.status, 201, "{}", String::from_utf8_lossy(&done.body));
    assert_eq!(done.json().unwrap()["person"]["role"], "admin");
    let admin = server.nobody().with("cookie", done.cookies());
    let me = admin.get("/api/v1/me").await.unwrap();
    assert_eq!(me.status, 200);
    let again = client.post(path, &setup(&code_shown, PASSWORD)).await.unwrap();
    assert_eq!((again.status, code(&again)), (410, "setup.done".to_owned()));
}

#[tokio::test]
async fn what_is_wrong_with_a_field_is_said_of_that_field() {
    let server = TestServer::of(TestStore::empty()).await;
    let good = server.write(Actor::System, people::setup::new_code).await.unwrap();
    let long = "a".repeat(81);
    for (field, value) in [
        ("display_name", long.as_str()),
        ("display_name", "Eva\u{7} Chef"),
        ("display_name", " "),
        ("house_name", &long),
        ("username", "eva chef"),
        ("zone", "Europe/Nowhere"),
        ("late_after", "25:00"),
    ] {
        let mut setup = json!({ "code": good, "house_name": "Lindenschule", "profile": "school",
            "zone": "Europe/Berlin", "language": "de", "username": "eva",
            "display_name": "Eva Chef", "password": PASSWORD });
        setup[field] = json!(value);
        let answer = server.nobody().post("/api/v1/setup", &setup).await.unwrap();
        let problem = answer.json().unwrap();
        assert_eq!((answer.status, &problem["field"]), (422, &json!(field)), "{problem}");
    }
    assert_eq!(server.number("select count(*) from house").await, 0);
}

#[tokio::test]
async fn an_admin_from_the_console_does_not_stand_in_the_way_of_the_set_up() {
    let server = TestServer::of(TestStore::empty()).await;
    server.account("Ben Chef", Role::Admin).await;
    let client = server.nobody();
    let needed = client.get("/api/v1/setup").await.unwrap().json().unwrap();
    assert_eq!(needed, json!({ "needed": true }));
    let code = server.write(Actor::System, people::setup::new_code).await.unwrap();
    let setup = json!({ "code": code, "house_name": "Lindenschule", "profile": "school",
        "zone": "Europe/Berlin", "language": "de", "username": "eva",
        "display_name": "Eva Chef", "password": PASSWORD });
    let done = client.post("/api/v1/setup", &setup).await.unwrap();
    assert_eq!(done.status, 201, "{}", String::from_utf8_lossy(&done.body));
    let me = server.sign_in("ben").await.get("/api/v1/me").await.unwrap();
    assert_eq!(me.json().unwrap()["house"]["name"], "Lindenschule");
}

// Fault 37.
#[tokio::test]
async fn a_code_for_the_set_up_ends_after_a_day_and_with_the_next_one() {
    let store = TestStore::empty();
    let new_code = || store.write(Actor::System, people::setup::new_code);
    let check = async |code: &str| {
        let code = code.to_owned();
        store.write(Actor::System, move |tx| people::setup::check(tx, &code, tx.now)).await.is_ok()
    };
    let first = new_code().await.unwrap();
    assert!(check(&first).await);
    let second = new_code().await.unwrap();
    assert!(!check(&first).await && check(&second).await);
    let if_due = || store.write(Actor::System, people::setup::code_if_due);
    assert_eq!(if_due().await.unwrap(), None);
    store.advance(24 * HOUR);
    assert!(!check(&second).await);
    let third = if_due().await.unwrap().unwrap();
    assert!(check(&third).await);
}

/// Each kind of house begins with hours of its own, unless whoever sets it up says other ones.
#[tokio::test]
async fn a_house_begins_with_the_hours_of_its_kind_or_with_its_own() {
    for (profile, said, expected) in [
        ("school", json!({}), ["08:15", "18:00"]),
        ("club", json!({}), ["13:30", "18:00"]),
        ("clinic", json!({ "late_after": "", "closes_at": "" }), ["09:00", "20:00"]),
        ("club", json!({ "late_after": "11:30" }), ["11:30", "18:00"]),
        ("school", json!({ "late_after": "8:05", "closes_at": "17.30" }), ["08:05", "17:30"]),
        ("clinic", json!({ "late_after": "07:00", "closes_at": "23:59" }), ["07:00", "23:59"]),
    ] {
        let server = TestServer::of(TestStore::empty()).await;
        let code = server.write(Actor::System, people::setup::new_code).await.unwrap();
        let setup = async |hours: &serde_json::Value| {
            let mut body = json!({ "code": code, "house_name": "Haus am See", "profile": profile,
                "zone": "Europe/Berlin", "language": "de", "username": "eva",
                "display_name": "Eva Chef", "password": PASSWORD });
            body.as_object_mut().unwrap().extend(hours.as_object().unwrap().clone());
            server.nobody().post("/api/v1/setup", &body).await.unwrap()
        };
        for (wrong, field) in [
            (json!({ "late_after": "22:00" }), "late_after"),
            (json!({ "closes_at": "06:00" }), "closes_at"),
            (json!({ "closes_at": "late" }), "closes_at"),
        ] {
            let refused = setup(&wrong).await;
            assert_eq!((refused.status, &refused.json().unwrap()["field"]), (422, &json!(field)));
            assert_eq!(server.number("select count(*) from house").await, 0, "{wrong}");
        }
        let done = setup(&said).await;
        assert_eq!(done.status, 201, "{}", String::from_utf8_lossy(&done.body));
        let admin = server.nobody().with("cookie", done.cookies());
        let house = admin.get("/api/v1/house").await.unwrap().json().unwrap();
        assert_eq!(json!([house["late_after"], house["closes_at"]]), json!(expected), "{profile}");
    }
}
