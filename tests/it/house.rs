//! The settings of the house: its hours, by whom they are changed, and what follows them.

use daybook::base::Actor;
use daybook::client::{Answer, Client};
use daybook::domain::people::Role;
use daybook::domain::rooms;
use daybook::domain::visits::day::{self, Closed};
use hyper::Method;
use serde_json::{Value, json};

use crate::scene::{BEN, EVA, MIA, Scene};
use crate::server::TestServer;

const PATH: &str = "/api/v1/house";

async fn hours(client: &Client) -> (Value, Value) {
    let house = client.get(PATH).await.unwrap().json().unwrap();
    (house["late_after"].clone(), house["closes_at"].clone())
}

async fn change(client: &Client, body: Value) -> Answer {
    client.json(Method::PATCH, PATH, &body).await.unwrap()
}

/// Changes what must be changeable.
async fn set(client: &Client, body: Value) -> Value {
    let answer = change(client, body).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    answer.json().unwrap()
}

#[tokio::test]
async fn the_lead_sets_the_hours_and_the_audit_says_so() {
    let server = TestServer::start().await;
    let (lead, admin) = server.signed_in("Lea Lead", Role::Admin).await;
    let shown = admin.get(PATH).await.unwrap();
    let expected = json!({
        "name": "Lindenschule", "profile": "school", "zone": "Europe/Berlin", "language": "de",
        "demo": false, "late_after": "08:15", "closes_at": "18:00"
    });
    assert_eq!((shown.status, shown.json().unwrap()), (200, expected));

    let changed = set(&admin, json!({ "late_after": "11:30", "closes_at": "21:00" })).await;
    assert_eq!((&changed["late_after"], &changed["closes_at"]), (&json!("11:30"), &json!("21:00")));
    assert_eq!(hours(&admin).await, (json!("11:30"), json!("21:00")));
    // One alone; and what says the same again, or nothing, is no change.
    set(&admin, json!({ "closes_at": "19:30" })).await;
    set(&admin, json!({ "closes_at": "19:30", "late_after": "11:30" })).await;
    set(&admin, json!({})).await;
    assert_eq!(hours(&admin).await, (json!("11:30"), json!("19:30")));

    let audit = admin.get("/api/v1/audit?act=house.hours_set").await.unwrap().json().unwrap();
    let lines = audit["items"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.map(|line| (&line["by"], line["detail"].as_str().unwrap())).collect();
    let by = json!(format!("person:{lead}"));
    let expected = [
        (&by, "closes_at 21:00 -> 19:30"),
        (&by, "closes_at 18:00 -> 21:00"),
        (&by, "late_after 08:15 -> 11:30"),
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn hours_that_are_none_are_refused_and_change_nothing() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Lea Lead", Role::Admin).await;
    let (_, office) = server.signed_in("Olga Orth", Role::Office).await;
    for (body, status, code, field) in [
        (json!({ "late_after": "18:00" }), 422, "request.invalid", "late_after"),
        (json!({ "closes_at": "08:15" }), 422, "request.invalid", "closes_at"),
        (
            json!({ "late_after": "20:00", "closes_at": "19:00" }),
            422,
            "request.invalid",
            "closes_at",
        ),
        (json!({ "late_after": "24:00" }), 400, "request.malformed", "late_after"),
        (json!({ "closes_at": "7:3" }), 400, "request.malformed", "closes_at"),
        (json!({ "closes_at": 1080 }), 400, "request.malformed", "closes_at"),
        (
            json!({ "closes_at": "19:00", "opens_at": "07:00" }),
            400,
            "request.malformed",
            "opens_at",
        ),
        (json!({ "closes_at": "19:00", "zone": "UTC" }), 400, "request.malformed", "zone"),
    ] {
        let answer = change(&admin, body.clone()).await;
        let problem = answer.json().unwrap();
        assert_eq!((answer.status, &problem["code"]), (status, &json!(code)), "{body}: {problem}");
        assert_eq!(problem["field"], field, "{body}");
    }
    assert_eq!(change(&office, json!({ "closes_at": "19:00" })).await.status, 403);
    assert_eq!(hours(&admin).await, (json!("08:15"), json!("18:00")));
    let lines = "select count(*) from audit where act = 'house.hours_set'";
    assert_eq!(server.number(lines).await, 0);
}

#[tokio::test]
async fn nobody_is_late_or_missing_before_the_day_of_a_club_begins() {
    let scene = Scene::new().await;
    let [lead] = scene.signed_in([scene.lead]).await;
    set(&lead, json!({ "late_after": "11:30", "closes_at": "20:00" })).await;
    let missing = || scene.write(Actor::System, day::mark_missing);
    // Twenty past eleven.
    scene.set(Scene::minute(80));
    scene.tap(&scene.door, MIA).await;
    assert_eq!(missing().await.unwrap(), 0);
    scene.set(Scene::minute(91));
    scene.tap(&scene.door, BEN).await;
    let came = scene.events("attendance.checked_in").await;
    let late: Vec<_> = came.iter().map(|told| told.1["late"].as_bool().unwrap()).collect();
    assert_eq!(late, [false, true]);
    scene.set(Scene::minute(104));
    assert_eq!(missing().await.unwrap(), 0);
    scene.set(Scene::minute(105));
    assert_eq!(missing().await.unwrap(), 1);
    scene.check().await;
}

#[tokio::test]
async fn who_came_late_has_come_late_whatever_hour_is_set_before_they_come_back() {
    for (late_after, late) in [("09:30", 1), ("11:00", 0)] {
        let scene = Scene::new().await;
        let [lead] = scene.signed_in([scene.lead]).await;
        set(&lead, json!({ "late_after": late_after })).await;
        scene.tap(&scene.door, MIA).await;
        assert_eq!(scene.number("select late from attendance").await, late);
        let other = if late == 1 { "11:00" } else { "09:30" };
        set(&lead, json!({ "late_after": other })).await;
        scene.pass(60);
        scene.tap(&scene.exit, MIA).await;
        scene.pass(60);
        scene.tap(&scene.door, MIA).await;
        assert_eq!(scene.number("select late from attendance").await, late);
        let told = scene.events("attendance.checked_in").await.pop().unwrap().1;
        assert_eq!(told["late"], json!(late == 1));
    }
}

#[tokio::test]
async fn an_hour_that_is_over_when_it_is_set_closes_the_day_then_and_not_before() {
    let scene = Scene::new().await;
    let [lead] = scene.signed_in([scene.lead]).await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    scene.tap(&scene.door, BEN).await;
    scene.set(Scene::minute(4 * 60));
    scene.tap(&scene.gym_reader, MIA).await;
    scene.pass(60);
    let now = scene.now();
    set(&lead, json!({ "closes_at": "11:00" })).await;
    let closed = scene.write(Actor::System, day::close_day).await.unwrap();
    assert_eq!(closed, Closed { visits: 1, people: 2, runs: 1 });
    assert_eq!(scene.number("select ended_at from visit").await, now.0);
    assert_eq!(scene.number("select min(left_at) from attendance").await, now.0);
    let ended = scene.read(move |conn| rooms::queries::run(conn, run)).await.ended_at;
    assert_eq!(ended, Some(now));
    // From the next day on the hour counts as it stands.
    scene.set(Scene::minute(24 * 60));
    scene.tap(&scene.door, BEN).await;
    scene.set(Scene::minute(25 * 60));
    let closed = scene.write(Actor::System, day::close_day).await.unwrap();
    assert_eq!(closed, Closed { visits: 0, people: 1, runs: 0 });
    scene.check().await;
}

#[tokio::test]
async fn the_close_of_the_day_follows_the_hour_that_the_lead_sets() {
    let scene = Scene::new().await;
    let [lead] = scene.signed_in([scene.lead]).await;
    scene.run(scene.gym, &[scene.eva]).await;
    scene.tap(&scene.door, EVA).await;
    scene.tap(&scene.gym_reader, MIA).await;
    set(&lead, json!({ "closes_at": "19:30" })).await;
    let close = || scene.write(Actor::System, day::close_day);
    scene.set(Scene::minute(8 * 60));
    assert_eq!(close().await.unwrap(), Closed::default());
    let half_past = Scene::minute(9 * 60 + 30);
    scene.set(half_past);
    assert_eq!(close().await.unwrap(), Closed { visits: 1, people: 2, runs: 1 });
    assert_eq!(scene.number("select ended_at from visit").await, half_past.0);
    assert_eq!(scene.number("select min(left_at) from attendance").await, half_past.0);
    // What is closed is not opened again by a later hour.
    set(&lead, json!({ "closes_at": "21:00" })).await;
    assert_eq!(close().await.unwrap(), Closed::default());
    assert_eq!(scene.number("select count(*) from attendance where status = 'present'").await, 0);
    scene.check().await;
}
