//! The groups of one member, changed from the member's side.

use daybook::base::Actor;
use daybook::client::{Answer, Client};
use daybook::domain::people::model::NewPerson;
use daybook::domain::people::{self, Role};
use daybook::live::Tx;
use daybook::store::rows;
use hyper::Method;
use rusqlite::params;
use serde_json::{Value, json};

use crate::scene::Scene;

async fn regroup(lead: &Client, person: impl std::fmt::Display, change: Value) -> Answer {
    let path = format!("/api/v1/people/{person}/groups");
    lead.json(Method::PATCH, &path, &change).await.unwrap()
}

fn names(answer: &Answer) -> Vec<String> {
    let groups = answer.json().unwrap()["groups"].as_array().unwrap().clone();
    groups.iter().map(|group| group["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_member_moves_to_another_group_and_those_responsible_see_others_than_before() {
    let scene = Scene::new().await;
    let [lead, eva] = scene.signed_in([scene.lead, scene.eva]).await;
    let made = lead.post("/api/v1/groups", &json!({ "name": "Green", "kind": "care" })).await;
    let green = made.unwrap().json().unwrap()["id"].clone();
    let path = format!("/api/v1/groups/{}", scene.blue);
    let expected = async || {
        let page = eva.get(&path).await.unwrap().json().unwrap();
        page["expected"].as_array().unwrap().len()
    };
    let before = (expected().await, scene.events("access.changed").await.len());
    let moving = json!({ "added": [green], "removed": [scene.blue] });
    let moved = regroup(&lead, scene.ben, moving.clone()).await;
    assert_eq!((moved.status, names(&moved)), (200, vec!["Green".to_owned()]));
    assert_eq!(expected().await, before.0 - 1);
    let told = scene.events("access.changed").await.split_off(before.1);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, format!("user:{}:inbox", scene.eva));

    // A repeat changes nothing more, and leaves no line.
    let lines = "select count(*) from audit where act like 'group.member_%'";
    let audited = scene.number(lines).await;
    assert_eq!(names(&regroup(&lead, scene.ben, moving).await), ["Green"]);
    assert_eq!(scene.number(lines).await, audited);
    assert_eq!(scene.events("access.changed").await.len(), before.1 + 1);
    let back = json!({ "added": [scene.blue], "removed": [green] });
    assert_eq!(names(&regroup(&lead, scene.ben, back).await), ["Blau"]);
    assert_eq!(expected().await, before.0);
}

#[tokio::test]
async fn what_is_no_group_or_no_member_is_refused_and_nothing_is_changed() {
    let scene = Scene::new().await;
    let [lead] = scene.signed_in([scene.lead]).await;
    for (person, change, status, field) in [
        (scene.ben, json!({ "added": ["999"] }), 422, "added"),
        (scene.ben, json!({ "removed": [scene.blue, "999"] }), 422, "removed"),
        (scene.ben, json!({ "added": [scene.blue], "removed": [scene.blue] }), 422, "removed"),
        (scene.eva, json!({ "added": [scene.blue] }), 422, "added"),
        (scene.ben, json!({ "groups": [] }), 400, "groups"),
    ] {
        let refused = regroup(&lead, person, change.clone()).await;
        let told = (refused.status, refused.json().unwrap()["field"].clone());
        assert_eq!(told, (status, json!(field)), "{change}");
    }
    assert_eq!(regroup(&lead, 99_999, json!({})).await.status, 404);
    assert_eq!(names(&regroup(&lead, scene.ben, json!({})).await), ["Blau"]);
}

#[tokio::test]
async fn a_group_takes_no_more_than_it_may_have() {
    let scene = Scene::new().await;
    let [lead] = scene.signed_in([scene.lead]).await;
    let group = scene.blue;
    let fill = move |tx: &mut Tx<'_>| {
        for number in 0..498 {
            let new = NewPerson::named("Kind", &number.to_string(), Role::Member);
            let child = people::commands::enrol(tx, new)?;
            rows::run(tx, "insert into group_member values (?1, ?2)", params![group, child])?;
        }
        Ok(())
    };
    scene.write(Actor::System, fill).await.unwrap();
    let full = regroup(&lead, scene.zoe, json!({ "added": [group] })).await;
    assert_eq!((full.status, &full.json().unwrap()["code"]), (409, &json!("group.full")));
    let instead = json!({ "removed": [group] });
    assert_eq!(regroup(&lead, scene.ben, instead).await.status, 200);
    assert_eq!(names(&regroup(&lead, scene.zoe, json!({ "added": [group] })).await), ["Blau"]);
}
