//! The audit trail over HTTP: what is in it, who may look, and that a look is a line of it.

use std::time::Duration;

use daybook::client::Client;
use daybook::domain::people::{Role, audit};
use hyper::Method;
use serde_json::{Value, json};

use crate::server::TestServer;

async fn get(client: &Client, query: &str) -> (u16, Value) {
    let answer = client.get(&format!("/api/v1/audit{query}")).await.unwrap();
    (answer.status, answer.json().unwrap())
}

/// The acts of a page, in order.
fn acts(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|line| line["act"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_lead_reads_who_did_what_and_that_look_is_a_line_too() {
    let server = TestServer::start().await;
    let (lead, admin) = server.signed_in("Lea Lead", Role::Admin).await;
    let (_, office) = server.signed_in("Olga Orth", Role::Office).await;
    let mia = server.person("Mia Mai", Role::Member).await;
    let ben = server.person("Ben Bach", Role::Member).await;
    let contacts = |of| format!("/api/v1/people/{of}/contacts");
    server.advance(Duration::from_secs(3600));
    let later = server.app.clock.now();
    assert_eq!(office.get(&contacts(mia)).await.unwrap().status, 200);
    assert_eq!(office.get(&contacts(ben)).await.unwrap().status, 200);
    assert_eq!(admin.get(&contacts(mia)).await.unwrap().status, 200);

    let (status, page) = get(&admin, "?limit=4").await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(acts(&page), ["audit.read", "contacts.read", "contacts.read", "contacts.read"]);
    let line = &page["items"][1];
    let expected = json!({
        "id": line["id"], "at": later, "by": format!("person:{lead}"), "by_name": "Lea Lead",
        "act": "contacts.read", "person_id": mia, "display_name": "Mia Mai", "detail": ""
    });
    assert_eq!(*line, expected);

    // Each filter by itself, and what a look was for.
    let (_, of_mia) = get(&admin, &format!("?person_id={mia}&act=contacts.read")).await;
    assert_eq!(acts(&of_mia), ["contacts.read"; 2]);
    let (_, looks) = get(&admin, "?act=audit.read").await;
    let [own, one, _] = looks["items"].as_array().unwrap().as_slice() else { panic!("{looks}") };
    assert_eq!((&own["person_id"], &own["detail"]), (&Value::Null, &json!("audit.read")));
    assert_eq!((&one["person_id"], &one["detail"]), (&json!(mia), &json!("contacts.read")));
    let (_, since) = get(&admin, &format!("?since={later}&limit=500")).await;
    let all = server.number("select count(*) from audit where act = 'account.opened'").await;
    assert!(all > 0 && !acts(&since).contains(&"account.opened"), "{since}");

    // Going on from a page, later lines do not push what was seen into sight again.
    let next = page["next_cursor"].as_str().unwrap();
    let (_, rest) = get(&admin, &format!("?limit=4&cursor={next}")).await;
    let earlier = ["account.opened", "person.enrolled"];
    assert!(acts(&rest).iter().all(|act| earlier.contains(act)), "{rest}");

    for (wrong, field) in [("act=Mia%20Mai", "act"), ("act=", "act"), ("cursor=p50", "cursor")] {
        let (status, problem) = get(&admin, &format!("?{wrong}")).await;
        assert_eq!((status, &problem["field"]), (422, &json!(field)), "{wrong}");
    }
    assert_eq!(server.read(audit::broken_seal).await, None);
    let before = server.number("select count(*) from audit").await;
    assert_eq!(get(&office, "").await.0, 403);
    assert_eq!(server.number("select count(*) from audit").await, before);
}

#[tokio::test]
async fn a_change_to_a_person_is_a_line_that_names_the_fields_and_nothing_in_them() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Lea Lead", Role::Admin).await;
    let mia = server.person("Mia Mai", Role::Member).await;
    let path = format!("/api/v1/people/{mia}");
    for change in [
        json!({ "given_name": "Maja", "number": "7" }),
        json!({ "given_name": "Maja" }),
        json!({ "display_name": "Maja M.", "language": "en" }),
    ] {
        assert_eq!(admin.json(Method::PATCH, &path, &change).await.unwrap().status, 200);
    }
    let (_, page) = get(&admin, &format!("?act=person.changed&person_id={mia}")).await;
    let details: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|line| &line["detail"]).collect();
    assert_eq!(details, ["display_name language", "number given_name display_name"]);
}

/// Who is in which group decides who sees whom.
#[tokio::test]
async fn who_is_enrolled_and_what_becomes_of_rooms_and_groups_are_lines() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Lea Lead", Role::Admin).await;
    let before = server.number("select max(audit_id) from audit").await;
    let call = async |method, path: &str, body| {
        let answer = admin.json(method, &format!("/api/v1{path}"), &body).await.unwrap();
        assert!(answer.status < 300, "{path}");
        answer
            .json()
            .ok()
            .and_then(|made| Some(made["id"].as_str()?.to_owned()))
            .unwrap_or_default()
    };
    let mut members = Vec::new();
    for given in ["Mia", "Ben"] {
        let body = json!({ "given_name": given, "family_name": "Mai", "role": "member" });
        members.push(call(Method::POST, "/people", body).await);
    }
    let room = call(Method::POST, "/rooms", json!({ "name": "Mensa", "capacity": 9 })).await;
    call(Method::PATCH, &format!("/rooms/{room}"), json!({ "capacity": 8 })).await;
    let activity = call(Method::POST, "/activities", json!({ "name": "Singen" })).await;
    let group = call(Method::POST, "/groups", json!({ "name": "2a", "kind": "class" })).await;
    let path = format!("/groups/{group}/members");
    let [mia, ben] = &members[..] else { panic!() };
    call(Method::PUT, &path, json!({ "member_ids": [mia, ben] })).await;
    call(Method::PUT, &path, json!({ "member_ids": [ben] })).await;
    call(Method::PATCH, &format!("/people/{ben}"), json!({ "role": "office" })).await;

    let (_, page) = get(&admin, "?limit=500").await;
    let lines = page["items"].as_array().unwrap().iter().rev();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = lines.filter(|line| text(&line["id"]).parse::<i64>().unwrap() > before);
    let lines: Vec<_> =
        lines.map(|line| ["act", "person_id", "detail"].map(|field| text(&line[field]))).collect();
    let (group, room) = (format!("group:{group}"), format!("room:{room}"));
    let expected = [
        ["person.enrolled", mia, "member"],
        ["person.enrolled", ben, "member"],
        ["room.added", "", &room],
        ["room.changed", "", &room],
        ["activity.added", "", &format!("activity:{activity}")],
        ["group.added", "", &group],
        ["group.member_added", mia, &group],
        ["group.member_added", ben, &group],
        ["group.member_removed", mia, &group],
        ["person.role_changed", ben, "member -> office"],
        ["group.member_removed", ben, &group],
        ["audit.read", "", ""],
    ];
    assert_eq!(lines, expected.map(|line| line.map(str::to_owned)));
}
