//! Who is online: counted from streams and requests, told only to those who may know.

use daybook::base::Actor;
use daybook::client::{Client, SseFrame, Stream};
use daybook::heartbeat::Heart;
use serde_json::{Value, json};

use crate::callers::{ADMIN, House, next, until};

const STAFF: &str = "2 staff s2";
const MEMBER: &str = "3 member s3";

async fn open(caller: &Client, topics: &str) -> Stream {
    let path = format!("/api/v1/events?topics={topics}");
    let mut stream = caller.stream(&path, &[]).await.unwrap();
    assert_eq!(stream.status, 200);
    next(&mut stream).await.unwrap();
    stream
}

/// Reads on to the next frame of this type and returns its data.
async fn news(stream: &mut Stream, kind: &str) -> Value {
    loop {
        let frame: SseFrame = next(stream).await.unwrap();
        assert_eq!(frame.id.is_some(), frame.event.is_none(), "a signal has no place");
        if frame.event.as_deref() == Some(kind) {
            return frame.json().unwrap()["data"].clone();
        }
    }
}

fn ids(users: &Value, key: &str) -> Vec<String> {
    users.as_array().unwrap().iter().map(|u| u[key].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn colleagues_hear_of_colleagues_and_of_no_members() {
    let house = House::new().await;
    let mut heart = Heart::new(house.app.clone());
    let mut staff = open(&house.caller(STAFF), "staff").await;
    let mut lead = open(&house.caller(ADMIN), "lead").await;
    let _member = open(&house.caller(MEMBER), "house").await;
    heart.beat().await.unwrap();
    let list = news(&mut staff, "presence.list_changed").await;
    assert_eq!(
        (list["count"].as_u64(), ids(&list["users"], "user_id")),
        (Some(2), vec!["1".into(), "2".into()])
    );
    let list = news(&mut lead, "presence.list_changed").await;
    assert_eq!(ids(&list["users"], "user_id"), ["1", "2", "3"]);
    assert_eq!(
        list["users"][2],
        json!({"user_id": "3", "display_name": "Cem C.", "role": "member", "status": "online"})
    );
}

#[tokio::test]
async fn those_in_charge_of_a_group_hear_of_its_members() {
    let house = House::new().await;
    house
        .write(Actor::System, |tx| {
            tx.execute_batch(
                "insert into \"group\" (group_id, name, kind) values (7, 'Seven', 'class');
                 insert into group_member (group_id, person_id) values (7, 3);
                 insert into supervision (person_id, group_id, kind, from_at, given_by)
                 values (2, 7, 'standing', 0, 'system');",
            )?;
            Ok(())
        })
        .await
        .unwrap();
    let mut heart = Heart::new(house.app.clone());
    let mut staff = open(&house.caller(STAFF), "group:7").await;
    heart.beat().await.unwrap();
    let member = open(&house.caller(MEMBER), "house").await;
    heart.beat().await.unwrap();
    let status = news(&mut staff, "user.status_changed").await;
    assert_eq!((&status["user_id"], &status["status"]), (&json!("3"), &json!("online")));
    // A second page of the same person is the same presence.
    let second = open(&house.caller(MEMBER), "house").await;
    heart.beat().await.unwrap();
    let updated = news(&mut staff, "presence.updated").await;
    assert_eq!((&updated["streams"], &updated["status"]), (&json!(2), &json!("online")));

    let online = house.caller(STAFF).get("/api/v1/online").await.unwrap().json().unwrap();
    assert_eq!(ids(&online["users"], "person_id"), ["2", "3"]);
    assert_eq!(online["users"][1]["streams"], 2);
    assert!(online["cursor"].is_string() && online["as_of"].is_string());
    drop((member, second));
    until(|| house.app.hub.streams() == 1).await;
    // Within the grace nobody has gone.
    heart.beat().await.unwrap();
    let online = house.caller(STAFF).get("/api/v1/online").await.unwrap().json().unwrap();
    assert_eq!(online["users"][1]["status"], "online");
    // Who has signed out is gone at once.
    house
        .write(Actor::System, |tx| {
            tx.execute("delete from session where person_id = 3", [])?;
            Ok(())
        })
        .await
        .unwrap();
    heart.beat().await.unwrap();
    assert_eq!(news(&mut staff, "user.status_changed").await["status"], "offline");
}

#[tokio::test]
async fn a_request_without_a_stream_counts_too_and_scope_decides_who_sees_it() {
    let house = House::new().await;
    let ticket = house.caller(MEMBER).post("/api/v1/stream-tickets", &Value::Null).await.unwrap();
    assert_eq!(ticket.status, 201);
    let seen = |who: &'static str| {
        let caller = house.caller(who);
        async move {
            let online = caller.get("/api/v1/online").await.unwrap();
            let online = online.json().unwrap();
            assert_eq!(online["count"], online["users"].as_array().unwrap().len());
            ids(&online["users"], "person_id")
        }
    };
    assert_eq!(seen(ADMIN).await, ["1", "3"]);
    assert_eq!(seen(STAFF).await, ["1", "2"]);
    assert_eq!(house.caller(MEMBER).get("/api/v1/online").await.unwrap().status, 403);
}
