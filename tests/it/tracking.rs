//! Tracked actions: batches, repeats, scope.

use daybook::base::id::PersonId;
use daybook::base::page::Paging;
use daybook::base::{Actor, Result, Timestamp};
use daybook::domain::tracking::queries::Wanted;
use daybook::domain::tracking::{self, Tracking};

use hyper::Method;
use serde_json::json;

use crate::callers::next;
use crate::fixture::{self, Fixture};
use crate::scene::Scene;
use crate::store::{START, TestStore};

fn action(kind: &str, id: Option<&str>, at: Option<Timestamp>) -> Tracking {
    Tracking::new(kind).unwrap().told(at, id).unwrap()
}

async fn track(store: &TestStore, person: PersonId, batch: Vec<Tracking>) -> Result<usize> {
    store
        .write(Actor::Person(person), move |tx| tracking::commands::track(tx, person, &batch))
        .await
}

async fn feed(store: &TestStore, viewer: PersonId, wanted: Wanted) -> Result<Vec<String>> {
    store
        .app
        .read(move |conn| {
            let scope = fixture::scope_of(conn, viewer)?;
            let page = tracking::queries::feed(conn, &scope, &wanted, &Paging::default())?;
            Ok(page.items.into_iter().map(|item| item.event_type).collect())
        })
        .await
}

// Fault 82.
#[tokio::test]
async fn a_batch_told_twice_is_kept_and_announced_once() {
    let store = TestStore::new().await;
    let Fixture { members, .. } = fixture::class(&store, 1).await;
    let batch = || vec![action("page.opened", Some("a"), None), action("word.tapped", None, None)];
    assert_eq!(track(&store, members[0], batch()).await.unwrap(), 2);
    assert_eq!(track(&store, members[0], batch()).await.unwrap(), 1);
    assert_eq!(store.number("select count(*) from tracked").await, 3);
    let told = store.log().await.iter().filter(|kind| *kind == "activity.tracked").count();
    assert_eq!(told, 3);
}

// Fault 85.
#[tokio::test]
async fn one_action_of_a_wrong_clock_refuses_the_whole_batch() {
    let store = TestStore::new().await;
    let Fixture { members, .. } = fixture::class(&store, 1).await;
    let hour = 3_600_000;
    for (at, problem) in [
        (START.0 + hour, "is in the future"),
        (START.0 + 120_001, "is in the future"),
        (START.0 - 72 * hour - 1, "is more than 72 hours ago"),
        (0, "is more than 72 hours ago"),
    ] {
        let wrong = action("page.opened", Some("a"), Some(Timestamp(at)));
        let batch = vec![action("page.opened", None, None), wrong];
        let refused = track(&store, members[0], batch).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("events[1].at: {problem}"));
        assert_eq!(store.number("select count(*) from tracked").await, 0);
    }
    // A clock that is a little ahead is not believed; three days without a network are.
    let ahead = action("page.opened", None, Some(Timestamp(START.0 + 120_000)));
    let late = action("page.opened", Some("b"), Some(Timestamp(START.0 - 72 * hour)));
    assert_eq!(track(&store, members[0], vec![ahead, late.clone()]).await.unwrap(), 2);
    let newest = store.number("select max(at) from tracked").await;
    assert_eq!(newest, START.0);
    // Whose answer was lost tells it again, also when it is too old to be news.
    store.advance(std::time::Duration::from_secs(60));
    assert_eq!(track(&store, members[0], vec![late]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_wrong_clock_is_told_by_its_field() {
    let scene = Scene::new().await;
    let [mia] = scene.signed_in([scene.mia]).await;
    let of = |at: &str| json!({ "event_type": "page.opened", "at": at });
    let body = json!({ "events": [of("1970-01-01T00:00:10Z")] });
    let refused = mia.post("/api/v1/activity", &body).await.unwrap();
    let problem = refused.json().unwrap();
    assert_eq!((refused.status, &problem["field"]), (422, &json!("events[0].at")));
    assert_eq!(problem["code"], "request.invalid");
}

#[tokio::test]
async fn the_feed_shows_staff_their_own_members_and_a_member_only_themselves() {
    let store = TestStore::new().await;
    let Fixture { teacher, colleague, members, .. } = fixture::class(&store, 2).await;
    track(&store, members[0], vec![action("a.b", None, None)]).await.unwrap();
    track(&store, members[1], vec![action("c.d", None, None)]).await.unwrap();
    assert_eq!(feed(&store, teacher, Wanted::default()).await.unwrap(), ["c.d", "a.b"]);
    assert!(feed(&store, colleague, Wanted::default()).await.unwrap().is_empty());
    assert_eq!(feed(&store, members[0], Wanted::default()).await.unwrap(), ["a.b"]);
    let other = Wanted { person: Some(members[1]), ..Wanted::default() };
    assert!(feed(&store, members[0], other).await.is_err());
    let kind = Wanted { event_type: Some("a.b".to_owned()), ..Wanted::default() };
    assert_eq!(feed(&store, teacher, kind).await.unwrap(), ["a.b"]);
}

#[tokio::test]
async fn the_log_holds_the_type_and_never_the_words_of_an_action() {
    let store = TestStore::new().await;
    let Fixture { members, .. } = fixture::class(&store, 1).await;
    let words = serde_json::json!({ "text": "Laterne" });
    let spoken = action("word.looked_up", None, None).saying(Some("Laterne"), words.as_object());
    track(&store, members[0], vec![spoken.unwrap()]).await.unwrap();
    let leaks = store.number("select count(*) from event_log where data like '%Laterne%'").await;
    assert_eq!(leaks, 0);
}

#[tokio::test]
async fn the_feed_says_from_where_on_its_stream_begins() {
    let scene = Scene::new().await;
    let [eva, mia] = scene.signed_in([scene.eva, scene.mia]).await;
    let told = async |kind: &str| {
        let body = json!({ "events": [{ "event_type": kind }] });
        assert_eq!(mia.post("/api/v1/activity", &body).await.unwrap().status, 202);
    };
    told("page.opened").await;
    let feed = eva.get("/api/v1/activity").await.unwrap().json().unwrap();
    assert_eq!(feed["items"].as_array().unwrap().len(), 1);
    assert_eq!((&feed["next_cursor"], &feed["as_of"]), (&json!(null), &json!(START)));
    let cursor = feed["cursor"].as_str().expect("a position in the log");
    assert_eq!(cursor, scene.app.hub.head().to_string());
    told("word.tapped").await;
    let path = format!("/api/v1/events?after={cursor}");
    let mut stream = eva.stream(&path, &[]).await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap().event.as_deref(), Some("stream.connected"));
    let news = next(&mut stream).await.unwrap().json().unwrap();
    assert_eq!(news["data"]["event_type"], "word.tapped");
}

/// Fault 63.
#[tokio::test]
async fn nobody_tells_what_another_person_did() {
    let scene = Scene::new().await;
    let [eva, mia] = scene.signed_in([scene.eva, scene.mia]).await;
    let own = json!({ "event_type": "page.opened", "user_id": scene.mia });
    let foreign = json!({ "event_type": "page.opened", "user_id": scene.ben });
    for client in [&eva, &mia] {
        let body = json!({ "events": [own, foreign] });
        let refused = client.post("/api/v1/activity", &body).await.unwrap();
        let code = refused.json().unwrap()["code"].clone();
        assert_eq!((refused.status, code), (403, json!("activity.other_person")));
    }
    assert_eq!(scene.number("select count(*) from tracked").await, 0);
    assert_eq!(
        mia.post("/api/v1/activity", &json!({ "events": [own] })).await.unwrap().status,
        202
    );
}

// Faults 20 and 22: serde would keep the last of two fields with one name.
#[tokio::test]
async fn a_context_is_an_object_that_names_each_of_its_fields_once() {
    let scene = Scene::new().await;
    let [mia] = scene.signed_in([scene.mia]).await;
    let kind = [("content-type", "application/json")];
    let told = async |path: &str, body: String| {
        let answer = mia.send(Method::POST, path, &kind, body.into()).await.unwrap();
        let problem = answer.json().unwrap();
        (answer.status, problem["field"].as_str().unwrap_or_default().to_owned())
    };
    for (context, field) in [
        (r#"{"page": 1, "page": 2}"#, "context.page"),
        (r#"{"a": [{"b": {"c": 1, "c": 1}}]}"#, "context.a[0].b.c"),
        (r#"{"a": {}, "\u0061": {}}"#, "context.a"),
        (r#"["page"]"#, "context"),
        (r#""page""#, "context"),
        ("7", "context"),
    ] {
        let action = format!(r#"{{"event_type": "page.opened", "context": {context}}}"#);
        let batch = format!(r#"{{"events": [{action}]}}"#);
        let refused = told("/api/v1/activity", batch).await;
        assert_eq!(refused, (400, format!("events[0].{field}")), "{context}");
        let refused = told("/api/activity/track", action).await;
        assert_eq!(refused, (400, field.to_owned()), "{context}");
    }
    let good = r#"{"events": [{"event_type": "page.opened",
        "context": {"a": {"a": [1, null, {"a": "x"}]}, "b": 1.5}}]}"#;
    assert_eq!(told("/api/v1/activity", good.to_owned()).await.0, 202);
    assert_eq!(scene.number("select count(*) from tracked").await, 1);
    let feed = mia.get("/api/v1/activity").await.unwrap().json().unwrap();
    let context = json!({ "a": { "a": [1, null, { "a": "x" }] }, "b": 1.5 });
    assert_eq!(feed["items"][0]["context"], context);
}
