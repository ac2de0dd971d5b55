//! Offers of supervision: who gives asks, and stays responsible until the other accepts.

use daybook::base::id::PersonId;
use daybook::client::{Client, Stream};
use daybook::domain::rooms::commands;
use daybook::live::Tx;
use hyper::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::callers::PATIENCE;
use crate::runs::{House, call, get, post, refusal, stream};

const OFFERS: &str = "/supervision-offers";

/// Anna's run, and what she asks of somebody about it.
async fn asking(house: &House, to: PersonId) -> (String, Value) {
    let run = house.annas_run().await;
    let body = json!({ "staff_id": to, "run_id": run, "kind": "hand_over" });
    (run, body)
}

async fn offer(house: &House, body: &Value) -> String {
    offer_of(&house.anna, body).await
}

async fn offer_of(client: &Client, body: &Value) -> String {
    let (status, offer) = post(client, OFFERS, body.clone()).await;
    assert_eq!(status, 201, "{offer}");
    offer["id"].as_str().unwrap().to_owned()
}

async fn answer(client: &Client, offer: &str, act: &str) -> (u16, Value) {
    post(client, &format!("{OFFERS}/{offer}/{act}"), json!({})).await
}

async fn open(client: &Client) -> Vec<Value> {
    let (status, page) = get(client, OFFERS).await;
    assert_eq!(status, 200, "{page}");
    assert!(page["cursor"].is_string() && page["as_of"].is_string());
    page["items"].as_array().unwrap().clone()
}

/// Whether this caller supervises the run now.
async fn has(client: &Client, run: &str) -> bool {
    get(client, &format!("/runs/{run}")).await.0 == 200
}

/// Reads on to the next event of this type.
async fn hear(stream: &mut Stream, kind: &str) -> Value {
    let reading = async {
        loop {
            let frame = stream.next().await.unwrap().expect("the stream goes on");
            if frame.event.as_deref() == Some(kind) {
                return frame.json().unwrap();
            }
        }
    };
    timeout(PATIENCE, reading).await.expect("heard in time")
}

#[tokio::test]
async fn the_giver_stays_responsible_until_the_other_accepts() {
    let house = House::new().await;
    let (anna, ben) = (house.cast.anna, house.cast.ben);
    let (run, body) = asking(&house, ben).await;
    let (mut hers, mut his) = (stream(&house.anna, None).await.1, stream(&house.ben, None).await.1);
    let (status, offered) = post(&house.anna, OFFERS, body).await;
    assert_eq!(status, 201, "{offered}");
    let by_name = |id: PersonId, name: &str| json!({ "id": id, "display_name": name });
    assert_eq!(
        offered,
        json!({ "id": "1", "kind": "hand_over", "from": by_name(anna, "Anna"),
            "to": by_name(ben, "Ben"), "run_id": run, "activity_name": "Chess",
            "room_name": "Hall", "offered_at": "2026-11-20T09:00:00.000Z" })
    );
    // He hears of it, who asks and for what, and sees nobody's child yet.
    let told = hear(&mut his, "supervision.offered").await;
    let known = hear(&mut hers, "supervision.offered").await["id"].as_str().unwrap().to_owned();
    assert_eq!(told["topic"], format!("user:{ben}:inbox"));
    assert_eq!(
        told["data"],
        json!({ "display_name": "Anna", "offer_id": "1", "charge": "run", "run_or_group_id": run,
            "kind": "hand_over", "from": anna, "to": ben, "until": null })
    );
    assert_eq!(
        (open(&house.ben).await, open(&house.anna).await),
        (vec![offered.clone()], vec![offered])
    );
    assert!(has(&house.anna, &run).await && !has(&house.ben, &run).await);
    let open_of = async |client: &Client| {
        let me = get(client, "/me").await.1;
        (me["offers"].clone(), me["offered"].clone())
    };
    assert_eq!(open_of(&house.ben).await, (json!(1), json!(0)));
    assert_eq!(open_of(&house.anna).await, (json!(0), json!(1)));

    let (status, held) = answer(&house.ben, "1", "accept").await;
    assert_eq!((status, &held["run_id"], &held["staff_id"]), (200, &json!(run), &json!(ben)));
    assert!(!has(&house.anna, &run).await && has(&house.ben, &run).await);
    // Her stream has ended with her rights; she comes back to her place.
    let mut hers = stream(&house.anna, Some(&known)).await.1;
    let over = hear(&mut hers, "supervision.offer_ended").await;
    assert_eq!(
        (&over["data"]["outcome"], &over["data"]["display_name"]),
        (&json!("accepted"), &json!("Ben"))
    );
    let changed = hear(&mut hers, "supervision.changed").await;
    assert_eq!((&changed["data"]["from"], &changed["data"]["to"]), (&json!(anna), &json!(ben)));
    assert_eq!((open(&house.ben).await, open(&house.anna).await), (vec![], vec![]));
    assert_eq!(refusal(&answer(&house.ben, "1", "accept").await), (409, "supervision.offer_ended"));
    let audited = "select count(*) from audit where act = 'supervision.handed_over'";
    assert_eq!(house.server.number(audited).await, 1);
}

#[tokio::test]
async fn what_is_declined_or_withdrawn_changes_nothing_and_another_can_be_asked() {
    let house = House::new().await;
    let (run, body) = asking(&house, house.cast.ben).await;
    let first = offer(&house, &body).await;
    let mut to_lead = body.clone();
    to_lead["staff_id"] = json!(house.cast.lead);
    let twice = post(&house.anna, OFFERS, to_lead.clone()).await;
    assert_eq!(refusal(&twice), (409, "supervision.offered"));
    let mut hers = stream(&house.anna, None).await.1;
    assert_eq!(answer(&house.ben, &first, "decline").await.0, 204);
    assert_eq!(hear(&mut hers, "supervision.offer_ended").await["data"]["outcome"], "declined");
    let second = offer(&house, &to_lead).await;
    assert_eq!(answer(&house.anna, &second, "withdraw").await.0, 204);
    assert_eq!(refusal(&answer(&house.lead, &second, "accept").await).0, 409);
    assert!(has(&house.anna, &run).await && !has(&house.ben, &run).await);
    let given = "select count(*) from supervision where run_id is not null";
    assert_eq!(house.server.number(given).await, 1);
}

#[tokio::test]
async fn an_offer_is_answered_by_who_is_asked_and_known_to_nobody_else() {
    let house = House::new().await;
    let eve = house.server.signed_in("Eve Ehr", daybook::domain::people::Role::Staff).await.1;
    let (_, body) = asking(&house, house.cast.ben).await;
    let not_his = post(&house.ben, OFFERS, body.clone()).await;
    assert_eq!(refusal(&not_his), (403, "supervision.not_own"));
    let not_hers = post(&house.lead, OFFERS, body.clone()).await;
    assert_eq!(refusal(&not_hers), (403, "supervision.not_own"));
    let id = offer(&house, &body).await;
    for act in ["accept", "decline", "withdraw"] {
        assert_eq!(refusal(&answer(&eve, &id, act).await), (404, "offer.not_found"), "{act}");
        assert_eq!(answer(&house.ben, "99", act).await.0, 404);
    }
    for (client, act) in [
        (&house.anna, "accept"),
        (&house.anna, "decline"),
        (&house.lead, "accept"),
        (&house.ben, "withdraw"),
    ] {
        let refused = answer(client, &id, act).await;
        assert_eq!(refusal(&refused), (403, "supervision.offer_not_yours"), "{act}");
    }
    assert_eq!((open(&eve).await.len(), open(&house.lead).await.len()), (0, 1));
    assert_eq!(answer(&house.lead, &id, "withdraw").await.0, 204);
    for (wrong, field) in [
        (json!({ "staff_id": house.cast.ben, "kind": "hand_over" }), "run_id"),
        (json!({ "staff_id": house.cast.mia, "kind": "hand_over", "run_id": "1" }), "staff_id"),
        (json!({ "staff_id": house.cast.anna, "kind": "hand_over", "run_id": "1" }), "staff_id"),
        (
            json!({ "staff_id": house.cast.ben, "kind": "hand_over", "run_id": "1",
                "until": "2026-11-20T10:00:00Z" }),
            "until",
        ),
        (
            json!({ "staff_id": house.cast.ben, "kind": "substitution", "run_id": "1",
                "until": "2026-11-20T08:00:00Z" }),
            "until",
        ),
        (
            json!({ "staff_id": house.cast.ben, "kind": "hand_over", "run_id": "1",
                "group_id": "1" }),
            "group_id",
        ),
    ] {
        let (status, problem) = post(&house.anna, OFFERS, wrong.clone()).await;
        assert_eq!((status, &problem["field"]), (422, &json!(field)), "{wrong}");
    }
    let foreign = json!({ "staff_id": house.cast.ben, "kind": "hand_over", "run_id": "1",
        "from_id": house.cast.anna });
    assert_eq!(post(&house.anna, OFFERS, foreign).await.0, 400);
}

#[tokio::test]
async fn an_offer_ends_with_what_it_is_of() {
    let house = House::new().await;
    let (run, body) = asking(&house, house.cast.ben).await;
    let mut his = stream(&house.ben, None).await.1;
    let expired = async |stream: &mut Stream, id: &str| {
        let over = hear(stream, "supervision.offer_ended").await;
        assert_eq!(
            (&over["data"]["offer_id"], &over["data"]["outcome"]),
            (&json!(id), &json!("expired"))
        );
    };
    // The run is over; it comes back without the offer.
    let id = offer(&house, &body).await;
    assert_eq!(post(&house.anna, &format!("/runs/{run}/end"), json!({})).await.0, 200);
    expired(&mut his, &id).await;
    assert_eq!(refusal(&answer(&house.ben, &id, "accept").await), (409, "supervision.offer_ended"));
    assert_eq!(post(&house.anna, &format!("/runs/{run}/reopen"), json!({})).await.0, 200);
    assert_eq!(open(&house.ben).await, Vec::<Value>::new());
    // The time of the substitution is over, before anybody has answered.
    let until = "2026-11-20T09:30:00.000Z";
    let beside = json!({ "staff_id": house.cast.ben, "run_id": run, "kind": "substitution",
        "until": until });
    let id = offer(&house, &beside).await;
    assert_eq!(open(&house.ben).await[0]["until"], until);
    house.server.advance(30 * crate::rooms::MINUTE);
    daybook::jobs::do_what_is_due(&house.server.app).await.unwrap();
    expired(&mut his, &id).await;
    // The lead gives it away at once.
    let id = offer(&house, &body).await;
    let at_once = json!({ "staff_id": house.cast.lead, "from_id": house.cast.anna, "run_id": run,
        "kind": "hand_over" });
    assert_eq!(post(&house.lead, "/supervisions", at_once).await.0, 201);
    expired(&mut his, &id).await;
    // Who is asked leaves the house.
    let group = json!({ "staff_id": house.cast.ben, "group_id": house.cast.sun,
        "kind": "hand_over" });
    let id = offer(&house, &group).await;
    let gone = json!({ "state": "inactive" });
    let path = format!("/people/{}", house.cast.ben);
    assert_eq!(call(&house.lead, Method::PATCH, &path, gone).await.0, 200);
    assert_eq!(open(&house.anna).await, Vec::<Value>::new());
    assert_eq!(
        refusal(&answer(&house.anna, &id, "withdraw").await),
        (409, "supervision.offer_ended")
    );
}

#[tokio::test]
async fn a_substitute_accepts_and_has_it_beside_the_other_until_the_time() {
    let house = House::new().await;
    let (sun, ben) = (house.cast.sun, house.cast.ben);
    let beside = json!({ "staff_id": ben, "group_id": sun, "kind": "substitution" });
    let id = offer(&house, &beside).await;
    // Not said means until the house closes.
    assert_eq!(open(&house.ben).await[0]["until"], "2026-11-20T17:00:00.000Z");
    let (status, held) = answer(&house.ben, &id, "accept").await;
    assert_eq!((status, &held["kind"]), (200, &json!("substitution")), "{held}");
    let path = format!("/groups/{sun}");
    assert_eq!((get(&house.anna, &path).await.0, get(&house.ben, &path).await.0), (200, 200));
    // Who has it for good needs not be asked to stand in.
    house
        .server
        .write(daybook::base::Actor::System, move |tx: &mut Tx<'_>| {
            commands::set_group_staff(tx, sun, &[house.cast.anna, ben])
        })
        .await
        .unwrap();
    let held = post(&house.anna, OFFERS, beside).await;
    assert_eq!(refusal(&held), (409, "supervision.held"));
}

#[tokio::test]
async fn a_substitute_offers_it_no_longer_than_they_have_it() {
    let house = House::new().await;
    let (_, body) = asking(&house, house.cast.ben).await;
    let (run, own) = (body["run_id"].clone(), "2026-11-20T10:00:00.000Z");
    let at_once = json!({ "staff_id": house.cast.ben, "from_id": house.cast.anna, "run_id": run,
        "kind": "substitution", "until": own });
    assert_eq!(post(&house.lead, "/supervisions", at_once).await.0, 201);
    let mut on = json!({ "staff_id": house.cast.lead, "run_id": run, "kind": "substitution" });
    on["until"] = json!("2026-11-20T10:00:00.001Z");
    let (status, problem) = post(&house.ben, OFFERS, on.clone()).await;
    assert_eq!((status, &problem["field"]), (422, &json!("until")), "{problem}");
    on["until"] = json!(own);
    let id = offer_of(&house.ben, &on).await;
    assert_eq!(answer(&house.ben, &id, "withdraw").await.0, 204);
    // Not said means as long as they have it.
    on["until"] = Value::Null;
    let id = offer_of(&house.ben, &on).await;
    let (status, held) = answer(&house.lead, &id, "accept").await;
    assert_eq!((status, &held["until"]), (200, &json!(own)), "{held}");
}
