//! Wall screens: a token that reads what is for the corridor, and nothing else.

use std::time::Duration;

use daybook::base::{Actor, Error};
use daybook::client::{Client, Stream};
use daybook::domain::devices::displays;
use daybook::domain::people::Role;
use daybook::jobs::Jobs;
use hyper::Method;
use serde_json::{Value, json};

use crate::devices::{heard, reader, text, with_key};
use crate::scene::Scene;
use crate::server::TestServer;

#[tokio::test]
async fn a_wall_screen_reads_what_is_for_the_corridor_until_its_token_ends() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Lea Lead", Role::Admin).await;
    let made = admin.post("/api/v1/displays", &json!({ "name": "Foyer" })).await.unwrap();
    assert_eq!(made.status, 201);
    let made = made.json().unwrap();
    let token = text(&made["token"]);
    let body = json!({ "token": token });
    let signed = server.nobody().post("/api/v1/displays/sign-in", &body).await.unwrap();
    assert_eq!(signed.status, 204);
    let wall = server.nobody().with("cookie", signed.cookies());
    let mut stream = wall.stream("/api/v1/events", &[]).await.unwrap();
    assert_eq!(stream.status, 200);
    let me = with_key(&server, &token).get("/api/v1/me").await.unwrap().json().unwrap();
    assert_eq!(
        (&me["person"]["role"], &me["person"]["display_name"]),
        (&json!("display"), &json!("Foyer"))
    );
    assert_eq!(wall.get("/api/v1/people").await.unwrap().status, 403);
    assert_eq!(wall.get("/api/v1/sessions").await.unwrap().status, 403);
    let lead = wall.stream("/api/v1/events?topics=lead", &[]).await.unwrap();
    assert_eq!(lead.status, 403);

    let path = format!("/api/v1/displays/{}", text(&made["id"]));
    let gone = admin.json(Method::DELETE, &path, &json!({})).await.unwrap();
    assert_eq!(gone.status, 204);
    heard(&mut stream, "bye").await;
    assert_eq!(wall.stream("/api/v1/events", &[]).await.unwrap().status, 401);
    let list = admin.get("/api/v1/displays").await.unwrap().json().unwrap();
    assert_eq!(list["items"], json!([]));
    // A reader's key is no wall screen's token.
    let gym = reader(&server, json!({ "name": "Gym", "mode": "toggle" })).await;
    let body = json!({ "token": gym.key });
    let refused = server.nobody().post("/api/v1/displays/sign-in", &body).await.unwrap();
    assert_eq!(refused.status, 401);
}

/// The places in the queue, as the wall shows them, without their waits.
async fn places(wall: &Client) -> Vec<(i64, String, String)> {
    let answer = wall.get("/api/v1/help-requests/places").await.unwrap();
    assert_eq!(answer.status, 200);
    let answer = answer.json().unwrap();
    assert!(answer["as_of"].is_string() && answer["cursor"].is_string(), "{answer}");
    let items = answer["items"].as_array().unwrap().iter();
    items
        .map(|p| (p["position"].as_i64().unwrap(), text(&p["initials"]), text(&p["priority"])))
        .collect()
}

#[tokio::test]
async fn a_wall_screen_shows_places_and_initials_and_hears_that_the_queue_has_moved() {
    let scene = Scene::new().await;
    let [lead, eva, mia, ben] =
        scene.signed_in([scene.lead, scene.eva, scene.mia, scene.ben]).await;
    let made = lead.post("/api/v1/displays", &json!({ "name": "Foyer" })).await.unwrap();
    let key = text(&made.json().unwrap()["token"]);
    let wall = Client::new(lead.address()).with("authorization", format!("Bearer {key}"));
    let mut stream: Stream = wall.stream("/api/v1/events", &[]).await.unwrap();
    let _jobs = Jobs::spawn(&scene.app);
    assert_eq!(places(&wall).await, []);

    let asked = mia.post("/api/v1/help-requests", &json!({ "content": "Laterne?" })).await;
    let asked: Value = asked.unwrap().json().unwrap();
    assert_eq!(heard(&mut stream, "queue.changed").await["length"], 1);
    scene.pass(90);
    let urgent = json!({ "content": "Nasenbluten", "priority": "urgent" });
    assert_eq!(ben.post("/api/v1/help-requests", &urgent).await.unwrap().status, 201);
    assert_eq!(heard(&mut stream, "queue.changed").await["length"], 2);
    let place = |at, initials: &str, priority: &str| (at, initials.to_owned(), priority.to_owned());
    let both = [place(1, "B. B.", "urgent"), place(2, "M. M.", "normal")];
    assert_eq!(places(&wall).await, both);

    // Nothing else of them is there.
    let answer = wall.get("/api/v1/help-requests/places").await.unwrap().json().unwrap();
    let second = json!({ "position": 2, "initials": "M. M.", "priority": "normal", "wait_s": 90 });
    assert_eq!(answer["items"][1], second);
    for path in ["", "/mine", &format!("/{}", text(&asked["id"]))] {
        let refused = wall.get(&format!("/api/v1/help-requests{path}")).await.unwrap();
        assert_eq!(refused.status, 403, "{path}");
    }

    let path = format!("/api/v1/help-requests/{}/claim", text(&asked["id"]));
    assert_eq!(eva.post(&path, &json!({})).await.unwrap().status, 200);
    assert_eq!(heard(&mut stream, "queue.changed").await["length"], 1);
    assert_eq!(places(&wall).await, both[..1]);
}

/// Asks as the page of a screen does; returns the answer and what the browser keeps.
async fn pairing(screen: &Client) -> (Value, String) {
    let answer = screen.post("/api/v1/displays/pairing", &json!({})).await.unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    (answer.json().unwrap(), answer.cookies())
}

#[tokio::test]
async fn a_screen_is_let_in_by_the_digits_that_it_shows_and_asks_anew_when_it_is_shut_out() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Lea Lead", Role::Admin).await;
    let away = server.nobody().get("/wall").await.unwrap();
    assert_eq!(away.headers["location"], "/sign-in?next=/wall");
    let (first, kept) = pairing(&server.nobody()).await;
    assert!(kept.starts_with("daybook_display=W"), "{kept}");
    let screen = server.nobody().with("cookie", kept);
    let (again, kept) = pairing(&screen).await;
    assert_eq!((&again["code"], kept.as_str()), (&first["code"], ""), "and nothing new to keep");
    assert_eq!(again["expires_at"], first["expires_at"]);
    let time = |field: &str| first[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let minutes = time("expires_at").duration_since(time("server_time")).as_mins();
    assert_eq!(minutes, 10, "by the clock of the house");
    assert_eq!(screen.get("/api/v1/board").await.unwrap().status, 401, "its token is not good yet");
    let (other, _) = pairing(&server.nobody()).await;
    assert_ne!(other["code"], first["code"]);

    let pair = |code: Value, name: &str| {
        let (admin, body) = (&admin, json!({ "code": code, "name": name }));
        async move { admin.post("/api/v1/displays/pair", &body).await.unwrap() }
    };
    let refused = pair(json!("12345"), "Foyer").await;
    assert_eq!((refused.status, &refused.json().unwrap()["field"]), (422, &json!("code")));
    let refused = pair(first["code"].clone(), "").await;
    assert_eq!((refused.status, &refused.json().unwrap()["field"]), (422, &json!("name")));
    let made = pair(first["code"].clone(), "Foyer").await;
    assert_eq!(made.status, 201);
    let made = made.json().unwrap();
    assert!(made["token"].is_null(), "nobody sees the token: {made}");
    assert_eq!(pair(first["code"].clone(), "Twice").await.status, 422);
    let unknown = json!({ "code": "123456" });
    let refused = server.nobody().post("/api/v1/displays/pairing", &unknown).await.unwrap();
    assert_eq!(refused.status, 400, "unknown fields are refused");

    let (paired, _) = pairing(&screen).await;
    let time = &paired["server_time"];
    let said = json!({ "server_time": time, "paired": true, "code": null, "expires_at": null });
    assert_eq!(paired, said);
    assert_eq!(screen.get("/api/v1/board").await.unwrap().status, 200);
    assert_eq!(screen.get("/pair").await.unwrap().headers["location"], "/wall");
    let shown =
        async || admin.get("/api/v1/displays").await.unwrap().json().unwrap()["items"].clone();
    assert_eq!(
        (&shown().await[0]["name"], &shown().await[0]["connected"]),
        (&json!("Foyer"), &json!(false))
    );
    let mut stream = screen.stream("/api/v1/events", &[]).await.unwrap();
    assert_eq!(shown().await[0]["connected"], true);

    let path = format!("/api/v1/displays/{}", text(&made["id"]));
    assert_eq!(admin.json(Method::DELETE, &path, &json!({})).await.unwrap().status, 204);
    heard(&mut stream, "bye").await;
    assert_eq!(screen.get("/wall").await.unwrap().headers["location"], "/pair");
    let (anew, kept) = pairing(&screen).await;
    assert!(anew["paired"] == false && kept.starts_with("daybook_display=W"), "{anew} {kept}");
}

#[tokio::test]
async fn a_wall_that_hangs_for_years_is_kept_by_its_browser_from_each_load_on() {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Lea Lead", Role::Admin).await;
    let (shown, token) = pairing(&server.nobody()).await;
    let body = json!({ "code": shown["code"], "name": "Foyer" });
    let made = admin.post("/api/v1/displays/pair", &body).await.unwrap().json().unwrap();
    let screen = server.nobody().with("cookie", format!("{token}; daybook_lang=en"));
    let kept = async || {
        let answer = screen.get("/wall").await.unwrap();
        let set = answer.headers.get_all("set-cookie").iter();
        set.map(|cookie| cookie.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let for_a_year = [
        format!("{token}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict"),
        "daybook_lang=en; Path=/; Max-Age=31536000; SameSite=Lax".to_owned(),
    ];
    for _ in 0..3 {
        server.advance(YEAR - Duration::from_secs(60));
        assert_eq!(kept().await, for_a_year);
        assert_eq!(screen.get("/api/v1/board").await.unwrap().status, 200);
    }
    // A wrong key beside the cookie is what counts, here as everywhere.
    let wrong = server.nobody().with("cookie", token.clone()).with("authorization", "Bearer no");
    let wrong = wrong.get("/wall").await.unwrap();
    assert_eq!((wrong.status, wrong.headers.get("set-cookie")), (303, None));
    // Nobody else is made a screen by the page, and a screen that was shut out is none any more.
    let nobody = server.nobody().get("/wall").await.unwrap();
    assert_eq!(nobody.headers.get("set-cookie"), None);
    let (_, lead) = server.signed_in("Ida Lead", Role::Admin).await;
    assert!(!lead.get("/wall").await.unwrap().cookies().contains("daybook_display"));
    let path = format!("/api/v1/displays/{}", text(&made["id"]));
    assert_eq!(lead.json(Method::DELETE, &path, &json!({})).await.unwrap().status, 204);
    assert_eq!(kept().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_screen_that_asks_while_it_is_let_in_keeps_its_token_and_a_failed_write_its_digits() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Lea Lead", Role::Admin).await;
    let (shown, kept) = pairing(&server.nobody()).await;
    let screen = server.nobody().with("cookie", kept);
    let (began, has_begun) = tokio::sync::oneshot::channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let (app, code) = (server.app.clone(), text(&shown["code"]));
    let failing = tokio::spawn(async move {
        let waiting = app.pairings.clone();
        let write = move |tx: &mut daybook::live::Tx<'_>| {
            displays::pair(tx, &waiting, &code, "Foyer")?;
            assert!(displays::pair(tx, &waiting, &code, "Twice").is_err(), "once");
            began.send(()).unwrap();
            wait.recv().unwrap();
            Err::<(), _>(Error::conflict("test.planned", "planned"))
        };
        app.write(Actor::System, "test", write).await
    });
    has_begun.await.unwrap();
    assert_eq!(pairing(&screen).await, (shown.clone(), String::new()), "nothing new to keep");
    go_on.send(()).unwrap();
    let failed = failing.await.unwrap();
    assert!(matches!(failed, Err(Error::Conflict { .. })), "{failed:?}");

    assert_eq!(pairing(&screen).await, (shown.clone(), String::new()));
    let body = json!({ "code": shown["code"], "name": "Foyer" });
    assert_eq!(admin.post("/api/v1/displays/pair", &body).await.unwrap().status, 201);
    assert_eq!(pairing(&screen).await.0["paired"], true);
}

#[tokio::test]
async fn digits_are_not_given_out_without_end() {
    let server = TestServer::start().await;
    let mut last = 200;
    for _ in 0..30 {
        let answer = server.nobody().post("/api/v1/displays/pairing", &json!({})).await.unwrap();
        last = answer.status;
        if last == 429 {
            assert_eq!(answer.json().unwrap()["code"], "display.too_many");
            break;
        }
    }
    assert_eq!(last, 429);
}
