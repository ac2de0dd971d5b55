//! Rooms, runs and supervision as their callers meet them, with real sign-ins.

use std::time::Duration;

use daybook::base::id::{PersonId, RoomId};
use daybook::client::{Answer, Client, Stream};
use hyper::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::rooms::{Cast, Club};
use crate::server::TestServer;

/// Sends a request and returns its status and body.
pub async fn call(client: &Client, method: Method, path: &str, body: Value) -> (u16, Value) {
    let path = format!("/api/v1{path}");
    let answer = match method {
        Method::GET => client.get(&path).await,
        method => client.json(method, &path, &body).await,
    };
    told(answer.unwrap())
}

fn told(answer: Answer) -> (u16, Value) {
    let body = answer.json().unwrap();
    (answer.status, body)
}

pub async fn get(client: &Client, path: &str) -> (u16, Value) {
    call(client, Method::GET, path, Value::Null).await
}

pub async fn post(client: &Client, path: &str, body: Value) -> (u16, Value) {
    call(client, Method::POST, path, body).await
}

/// The status and the code of a refusal.
pub fn refusal((status, body): &(u16, Value)) -> (u16, &str) {
    (*status, body["code"].as_str().unwrap_or_default())
}

/// A club behind a server, and those of it who have signed in.
pub struct House {
    pub server: TestServer,
    pub cast: Cast,
    pub lead: Client,
    pub anna: Client,
    pub ben: Client,
}

impl House {
    pub async fn new() -> House {
        let Club { store, cast } = Club::new().await;
        let server = TestServer::of(store).await;
        let (lead, anna) = (server.sign_in("lead").await, server.sign_in("anna").await);
        let ben = server.sign_in("ben").await;
        House { server, cast, lead, anna, ben }
    }

    fn chess(&self, room: RoomId, staff: &[PersonId]) -> Value {
        json!({"activity_id": self.cast.chess, "room_id": room, "staff_ids": staff})
    }

    /// Starts a run of Anna's in the hall and returns its id.
    pub async fn annas_run(&self) -> String {
        let body = self.chess(self.cast.hall, &[self.cast.anna]);
        let (status, run) = post(&self.anna, "/runs", body).await;
        assert_eq!(status, 201, "{run}");
        run["id"].as_str().unwrap().to_owned()
    }
}

/// The topics that a new stream of this caller has, and the stream.
pub async fn stream(client: &Client, after: Option<&str>) -> (Vec<String>, Stream) {
    let headers: Vec<_> = after.iter().map(|id| ("last-event-id", *id)).collect();
    let mut stream = client.stream("/api/v1/events", &headers).await.unwrap();
    let greeting = stream.next().await.unwrap().unwrap().json().unwrap();
    let topics = greeting["data"]["topics"].as_array().unwrap();
    (topics.iter().map(|topic| topic.as_str().unwrap().to_owned()).collect(), stream)
}

#[tokio::test]
async fn staff_start_runs_of_their_own_and_see_no_others() {
    let house = House::new().await;
    let Cast { anna, ben, hall, yard, chess, .. } = house.cast;
    let (status, run) = post(&house.anna, "/runs", house.chess(hall, &[anna, ben])).await;
    assert_eq!(status, 201);
    assert_eq!(
        run,
        json!({"id": "1", "activity_id": chess, "activity_name": "Chess", "room_id": hall,
            "room_name": "Hall", "capacity": 30, "count": 0,
            "started_at": "2026-11-20T09:00:00.000Z",
            "staff": [{"id": anna, "display_name": "Anna"}, {"id": ben, "display_name": "Ben"}]})
    );
    let others = post(&house.anna, "/runs", house.chess(yard, &[ben])).await;
    assert_eq!(refusal(&others), (403, "run.not_own"));
    let taken = post(&house.ben, "/runs", house.chess(hall, &[ben])).await;
    assert_eq!(refusal(&taken), (409, "run.room_taken"));
    // The lead starts one for somebody else.
    assert_eq!(post(&house.lead, "/runs", house.chess(yard, &[ben])).await.0, 201);
    for (client, expected) in [(&house.lead, 2), (&house.anna, 1), (&house.ben, 2)] {
        let (status, runs) = get(client, "/runs").await;
        assert_eq!(status, 200);
        assert_eq!(runs["items"].as_array().unwrap().len(), expected);
        assert_eq!(runs["cursor"], house.server.app.hub.head().to_string());
        assert_eq!(runs["as_of"], "2026-11-20T09:00:00.000Z");
    }
}

#[tokio::test]
async fn a_run_is_ended_and_taken_up_again_by_those_whose_it_is() {
    let house = House::new().await;
    let run = house.annas_run().await;
    let (end, reopen) = (format!("/runs/{run}/end"), format!("/runs/{run}/reopen"));
    for path in [&end, &reopen] {
        let not_his = post(&house.ben, path, json!({})).await;
        assert_eq!(refusal(&not_his), (403, "run.not_own"), "{path}");
        assert_eq!(post(&house.ben, &path.replace(&run, "99"), json!({})).await.0, 404);
    }
    let not_ended = post(&house.anna, &reopen, json!({})).await;
    assert_eq!(refusal(&not_ended), (409, "run.not_ended"));
    let (status, ended) = post(&house.anna, &end, json!({})).await;
    let undo_until = "2026-11-20T09:05:00.000Z";
    assert_eq!((status, ended), (200, json!({"ended_visits": 0, "undo_until": undo_until})));
    let again = post(&house.anna, &end, json!({})).await;
    assert_eq!(refusal(&again), (409, "run.ended"));
    // It was hers when it ended, so she may take it up; Ben may not.
    let not_his = post(&house.ben, &reopen, json!({})).await;
    assert_eq!(refusal(&not_his), (403, "run.not_own"));
    let (status, run) = post(&house.anna, &reopen, json!({})).await;
    assert_eq!((status, &run["staff"][0]["display_name"]), (200, &json!("Anna")));
    assert!(run.get("ended_at").is_none() && run.get("undo_until").is_none(), "{run}");
    assert_eq!(post(&house.lead, &end, json!({})).await.0, 200);
    house.server.advance(Duration::from_secs(301));
    for (client, answer) in [
        (&house.anna, (409, "run.reopen_too_late")),
        (&house.lead, (409, "run.reopen_too_late")),
        (&house.ben, (403, "run.not_own")),
    ] {
        assert_eq!(refusal(&post(client, &reopen, json!({})).await), answer);
    }
}

#[tokio::test]
async fn a_repeated_start_is_one_start() {
    let house = House::new().await;
    let Cast { anna, hall, yard, .. } = house.cast;
    let client = &house.anna;
    let start = |room| {
        let body = house.chess(room, &[anna]).to_string();
        let headers = [("content-type", "application/json"), ("idempotency-key", "k1")];
        async move { client.send(Method::POST, "/api/v1/runs", &headers, body.into()).await }
    };
    let (one, two) = (told(start(hall).await.unwrap()), told(start(hall).await.unwrap()));
    assert_eq!((one.0, &one.1), (201, &two.1));
    assert_eq!(two.0, 201);
    assert_eq!(house.server.number("select count(*) from run").await, 1);
    assert_eq!(told(start(yard).await.unwrap()).0, 422);
}

#[tokio::test]
async fn a_mistake_in_a_body_is_named_and_nothing_is_made() {
    let house = House::new().await;
    let anna = house.cast.anna;
    let start = |activity: &str, room: &str| json!({"activity_id": activity, "room_id": room, "staff_ids": [anna]});
    for (path, body, status, field) in [
        ("/runs", json!({"activity": "1"}), 400, "activity"),
        ("/runs", json!({"activity_id": 1}), 400, "activity_id"),
        ("/runs", start("99", "1"), 422, "activity_id"),
        ("/runs", start("1", "99"), 422, "room_id"),
        ("/rooms", json!({"name": " ", "capacity": 3}), 422, "name"),
        ("/rooms", json!({"name": "Attic", "capacity": 0}), 422, "capacity"),
        ("/rooms", json!({"name": "Attic", "capacity": 3, "kind": "hut"}), 400, "kind"),
        ("/groups", json!({"name": "Stars"}), 400, "kind"),
        ("/activities", json!({"name": "Go", "default_room_id": "99"}), 422, "default_room_id"),
        ("/supervisions", json!({"staff_id": "4"}), 400, "kind"),
        ("/supervisions", json!({"staff_id": "4", "kind": "hand_over"}), 422, "run_id"),
        (
            "/supervisions",
            json!({"staff_id": "4", "kind": "hand_over", "group_id": "1", "run_id": "1"}),
            422,
            "group_id",
        ),
        (
            "/supervisions",
            json!({"staff_id": "4", "kind": "hand_over", "group_id": "1",
                "until": "2026-11-20T10:00:00Z"}),
            422,
            "until",
        ),
        ("/supervisions", json!({"staff_id": "4", "kind": "substitution"}), 422, "from_id"),
    ] {
        let (told, problem) = post(&house.lead, path, body.clone()).await;
        assert_eq!((told, problem["field"].as_str()), (status, Some(field)), "{path} {body}");
    }
    for table in ["select count(*) from run", "select count(*) - 1 from supervision"] {
        assert_eq!(house.server.number(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn the_lead_makes_and_changes_rooms_groups_and_activities() {
    let house = House::new().await;
    let attic = json!({"name": "Attic", "capacity": 12, "kind": "room"});
    let (status, room) = post(&house.lead, "/rooms", attic.clone()).await;
    assert_eq!((status, &room["name"], &room["capacity"]), (201, &json!("Attic"), &json!(12)));
    assert_eq!(refusal(&post(&house.lead, "/rooms", attic).await), (409, "room.name_taken"));
    let path = format!("/rooms/{}", room["id"].as_str().unwrap());
    let (status, room) = call(&house.lead, Method::PATCH, &path, json!({"capacity": 8})).await;
    assert_eq!((status, &room["name"], &room["capacity"]), (200, &json!("Attic"), &json!(8)));
    let hall = call(&house.lead, Method::PATCH, &path, json!({"name": "Hall"})).await;
    assert_eq!(refusal(&hall), (409, "room.name_taken"));
    let nothing = call(&house.lead, Method::PATCH, "/rooms/99", json!({})).await;
    assert_eq!(refusal(&nothing), (404, "room.not_found"));
    let go = json!({"name": "Go", "default_room_id": room["id"]});
    let (status, activity) = post(&house.lead, "/activities", go).await;
    assert_eq!((status, &activity["default_room_id"]), (201, &room["id"]));
    let (status, group) =
        post(&house.lead, "/groups", json!({"name": "Stars", "kind": "class"})).await;
    assert_eq!((status, &group["kind"]), (201, &json!("class")));
    let path = format!("/groups/{}", group["id"].as_str().unwrap());
    let staff = json!({"staff_ids": [house.cast.ben]});
    let members = json!({"member_ids": [house.cast.leo]});
    assert_eq!(call(&house.lead, Method::PUT, &format!("{path}/staff"), staff).await.0, 204);
    assert_eq!(call(&house.lead, Method::PUT, &format!("{path}/members"), members).await.0, 204);
    assert_eq!(
        call(&house.lead, Method::PUT, "/groups/99/staff", json!({"staff_ids": []})).await.0,
        404
    );
    let (_, first) = get(&house.anna, "/groups?limit=2").await;
    let names = |page: &Value| {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["Moon", "Stars"]);
    let next = format!("/groups?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
    let (_, second) = get(&house.anna, &next).await;
    assert_eq!((names(&second), &second["next_cursor"]), (vec!["Sun".to_owned()], &Value::Null));
    assert_eq!(names(&get(&house.anna, "/rooms").await.1), ["Attic", "Hall", "Yard"]);
    assert_eq!(names(&get(&house.anna, "/activities").await.1), ["Chess", "Go"]);
}

#[tokio::test]
async fn whoever_is_not_meant_may_not() {
    let house = House::new().await;
    let run = house.annas_run().await;
    let (office, mia) = (house.server.sign_in("office").await, house.server.sign_in("mia").await);
    let nobody = house.server.nobody();
    let take_over = format!("/runs/{run}/take-over");
    for (method, path, refused) in [
        (Method::POST, "/rooms", vec![&office, &house.anna, &mia]),
        (Method::PATCH, "/rooms/1", vec![&office, &house.anna, &mia]),
        (Method::POST, "/activities", vec![&office, &house.anna, &mia]),
        (Method::POST, "/groups", vec![&office, &house.anna, &mia]),
        (Method::PUT, "/groups/1/members", vec![&office, &house.anna, &mia]),
        (Method::PUT, "/groups/1/staff", vec![&office, &house.anna, &mia]),
        (Method::GET, "/groups", vec![&mia]),
        (Method::GET, "/activities", vec![&mia]),
        (Method::GET, "/runs", vec![&office, &mia]),
        (Method::POST, "/runs", vec![&office, &mia]),
        (Method::POST, &take_over, vec![&office, &mia]),
        (Method::POST, "/runs/1/end", vec![&office, &mia]),
        (Method::POST, "/runs/1/reopen", vec![&office, &mia]),
        (Method::GET, "/supervisions", vec![&office, &mia]),
        (Method::POST, "/supervisions", vec![&office, &house.anna, &mia]),
        (Method::POST, "/supervisions/1/end", vec![&office, &mia]),
    ] {
        for client in refused {
            let answer = call(client, method.clone(), path, json!({})).await;
            assert_eq!(refusal(&answer), (403, "access.role"), "{method} {path}");
        }
        let answer = call(&nobody, method.clone(), path, json!({})).await;
        assert_eq!(answer.0, 401, "{method} {path}");
    }
    assert_eq!(call(&mia, Method::GET, "/rooms", json!({})).await.0, 200);
}

#[tokio::test]
async fn the_lead_gives_at_once_and_staff_end_their_own() {
    let house = House::new().await;
    let run = house.annas_run().await;
    let Cast { lead, anna, ben, sun, .. } = house.cast;
    let give = |to: PersonId| json!({"staff_id": to, "run_id": run, "kind": "hand_over"});
    let mut for_another = give(ben);
    for_another["from_id"] = json!(lead);
    let for_another = post(&house.lead, "/supervisions", for_another).await;
    assert_eq!(refusal(&for_another), (409, "supervision.not_held"));
    let held = post(&house.ben, &format!("/runs/{run}/take-over"), json!({})).await;
    assert_eq!(refusal(&held), (409, "supervision.held"));

    let (status, given) = post(&house.lead, "/supervisions", give(ben)).await;
    assert_eq!(status, 201, "{given}");
    let given = &given["items"][0];
    assert_eq!(
        *given,
        json!({"id": given["id"], "staff_id": ben, "display_name": "Ben", "run_id": run,
            "activity_name": "Chess", "room_name": "Hall", "kind": "run",
            "from": "2026-11-20T09:00:00.000Z"})
    );
    let end = format!("/supervisions/{}/end", given["id"].as_str().unwrap());
    assert_eq!(refusal(&post(&house.anna, &end, json!({})).await), (404, "supervision.not_found"));
    assert_eq!(post(&house.ben, &end, json!({})).await.0, 204);
    assert_eq!(refusal(&post(&house.ben, &end, json!({})).await), (409, "supervision.ended"));
    let (status, run) = post(&house.anna, &format!("/runs/{run}/take-over"), json!({})).await;
    assert_eq!((status, &run["staff"][0]["id"]), (200, &json!(anna)));

    // A standing group is handed over, not dropped.
    let (_, hers) = get(&house.anna, &format!("/supervisions?staff_id={anna}")).await;
    let standing = hers["items"][0].clone();
    assert_eq!((&standing["group_id"], &standing["group_name"]), (&json!(sun), &json!("Sun")));
    let end = format!("/supervisions/{}/end", standing["id"].as_str().unwrap());
    assert_eq!(refusal(&post(&house.anna, &end, json!({})).await), (403, "supervision.standing"));
    let foreign = get(&house.anna, &format!("/supervisions?staff_id={ben}")).await;
    assert_eq!(refusal(&foreign), (403, "supervision.not_own"));
    let (_, all) = get(&house.lead, "/supervisions").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn whoever_leaves_the_house_leaves_what_was_theirs_for_good() {
    let house = House::new().await;
    let run = house.annas_run().await;
    let anna = house.cast.anna;
    let before = house.server.log().await.len();
    for state in ["inactive", "active"] {
        let body = json!({ "state": state });
        let path = format!("/people/{anna}");
        assert_eq!(call(&house.lead, Method::PATCH, &path, body).await.0, 200);
    }
    let log = house.server.log().await.split_off(before);
    let told = |kind: &str| log.iter().filter(|told| *told == kind).count();
    assert_eq!((told("supervision.changed"), told("run.updated")), (2, 1), "{log:?}");
    let (_, held) = get(&house.lead, "/supervisions").await;
    assert_eq!(held["items"], json!([]));
    assert_eq!(post(&house.ben, &format!("/runs/{run}/take-over"), json!({})).await.0, 200);
}

#[tokio::test]
async fn the_lead_says_whose_it_is_when_several_have_it() {
    let house = House::new().await;
    let Cast { lead, anna, ben, hall, sun, .. } = house.cast;
    let (_, run) = post(&house.anna, "/runs", house.chess(hall, &[anna, ben])).await;
    let give = json!({"staff_id": lead, "run_id": run["id"], "kind": "hand_over"});
    let (status, problem) = post(&house.lead, "/supervisions", give.clone()).await;
    assert_eq!((status, &problem["field"]), (422, &json!("from_id")));
    let mut from_ben = give;
    from_ben["from_id"] = json!(ben);
    assert_eq!(post(&house.lead, "/supervisions", from_ben).await.0, 201);
    // Now it is the lead's own, beside Anna: nothing need be said.
    let back = json!({"staff_id": ben, "run_id": run["id"], "kind": "hand_over"});
    assert_eq!(post(&house.lead, "/supervisions", back).await.0, 201);
    // Anna is ill: Ben has all that is hers, until three in the afternoon.
    let ill = json!({"staff_id": ben, "from_id": anna, "kind": "substitution",
        "until": "2026-11-20T14:00:00Z"});
    let (status, given) = post(&house.lead, "/supervisions", ill).await;
    // The run is his already, for good.
    assert_eq!((status, given["items"].as_array().unwrap().len()), (201, 1), "{given}");
    assert_eq!(given["items"][0]["until"], "2026-11-20T14:00:00.000Z");
    // Nobody has the moon group; the lead gives it without a giver.
    let moon = json!({"staff_id": ben, "group_id": house.cast.moon, "kind": "hand_over"});
    let (status, given) = post(&house.lead, "/supervisions", moon).await;
    assert_eq!((status, &given["items"][0]["kind"]), (201, &json!("standing")));
    let sole = json!({"staff_id": lead, "group_id": sun, "kind": "hand_over"});
    let (status, problem) = post(&house.lead, "/supervisions", sole).await;
    assert_eq!((status, &problem["field"]), (422, &json!("from_id")));
}

#[tokio::test]
async fn a_change_of_scope_ends_open_streams_with_a_goodbye_and_they_return_with_other_topics() {
    let house = House::new().await;
    let run = house.annas_run().await;
    let topic = format!("run:{run}");
    let ((hers, mut her_stream), (his, mut his_stream)) =
        (stream(&house.anna, None).await, stream(&house.ben, None).await);
    assert!(hers.contains(&topic) && !his.contains(&topic));
    let give = json!({"staff_id": house.cast.ben, "run_id": run, "kind": "hand_over"});
    assert_eq!(post(&house.lead, "/supervisions", give).await.0, 201);
    let mut last = String::new();
    for stream in [&mut her_stream, &mut his_stream] {
        let rest = async {
            let mut frames = Vec::new();
            while let Some(frame) = stream.next().await.unwrap() {
                frames.push(frame);
            }
            frames
        };
        let frames = timeout(Duration::from_secs(1), rest).await.expect("closed within a second");
        let bye = frames.last().unwrap();
        assert_eq!(bye.event.as_deref(), Some("bye"));
        assert_eq!(bye.json().unwrap()["data"]["reason"], "access_changed");
        last = frames.iter().rev().find_map(|frame| frame.id.clone()).unwrap_or(last);
    }
    assert!(!stream(&house.anna, None).await.0.contains(&topic));
    let (his, _) = stream(&house.ben, Some(&last)).await;
    assert!(his.contains(&topic));
    let refused = get(&house.anna, &format!("/events?topics={topic}")).await;
    assert_eq!(refusal(&refused), (403, "topic.forbidden"));
}
