//! The server's own pages: the shell, and the doors that work without a script.

use bytes::Bytes;
use daybook::base::Actor;
use daybook::client::{Answer, Client};
use daybook::domain::help::Priority;
use daybook::domain::people::Role;
use daybook::domain::people::setup;
use hyper::Method;
use serde_json::json;

use crate::help::ask;
use crate::scene::Scene;
use crate::server::TestServer;
use crate::store::{PASSWORD, TestStore};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn post(client: &Client, path: &str, form: &str) -> Answer {
    client.send(Method::POST, path, &[FORM], Bytes::from(form.to_owned())).await.unwrap()
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}

fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{}", text(answer));
    answer.headers["location"].to_str().unwrap()
}

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_the_door_and_back() {
    let server = TestServer::start().await;
    server.account("Ada Lead", Role::Admin).await;
    let nobody = server.nobody();
    let away = nobody.get("/help?only=urgent").await.unwrap();
    assert_eq!(location(&away), "/sign-in?next=/help%3Fonly%3Durgent");

    let door = nobody.get(location(&away)).await.unwrap();
    assert!(text(&door).contains(r#"name="next" value="/help?only=urgent""#));
    let form = format!(
        "username=ada&password={}&next=%2Fhelp%3Fonly%3Durgent",
        PASSWORD.replace(' ', "+")
    );
    let back = post(&nobody, "/sign-in", &form).await;
    assert_eq!(location(&back), "/help?only=urgent");

    let ada = server.nobody().with("cookie", back.cookies());
    let shell = ada.get("/help?only=urgent").await.unwrap();
    assert_eq!(shell.status, 200);
    assert_eq!(shell.headers["cache-control"], "no-store");
    assert!(text(&shell).contains("/app.js\""), "{}", text(&shell));
    assert_eq!(location(&ada.get("/sign-in").await.unwrap()), "/");

    assert_eq!(location(&post(&ada, "/sign-out", "").await), "/sign-in");
    assert_eq!(location(&ada.get("/").await.unwrap()), "/sign-in?next=/");
}

#[tokio::test]
async fn a_kiosk_has_its_page_without_a_sign_in() {
    let empty = TestServer::of(TestStore::empty()).await;
    assert_eq!(location(&empty.nobody().get("/kiosk").await.unwrap()), "/setup");
    let server = TestServer::start().await;
    server.account("Ada Lead", Role::Admin).await;
    let answer = server.nobody().with("accept-language", "en").get("/kiosk").await.unwrap();
    assert_eq!(
        (answer.status, &answer.headers["cache-control"]),
        (200, &"no-store".parse().unwrap())
    );
    let page = text(&answer);
    assert!(page.contains(r#"<html lang="en""#) && page.contains("data-zone=\""), "{page}");
    // Whatever it names is there.
    for part in page.split(['"']).filter(|part| part.starts_with("/a/")) {
        assert_eq!(server.nobody().get(part).await.unwrap().status, 200, "{part}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_said_in_the_page_and_costs_no_typing() {
    let server = TestServer::start().await;
    server.account("Ada Lead", Role::Admin).await;
    let nobody = server.nobody().with("accept-language", "de");
    let form = "username=%22ada%3E&password=wrong&next=//evil.example";
    let answer = post(&nobody, "/sign-in", form).await;
    assert_eq!(answer.status, 401);
    let page = text(&answer);
    assert!(page.contains("gehören nicht zusammen"), "{page}");
    assert!(!page.contains("\"ada>"), "what was typed is escaped");
    assert!(page.contains(r#"name="next" value="/""#), "a way out of the house is not kept");
}

// Fault 32.
#[tokio::test]
async fn who_tries_too_often_at_a_door_is_told_when_to_come_again() {
    let server = TestServer::start().await;
    server.account("Ada Lead", Role::Admin).await;
    let empty = TestServer::of(TestStore::empty()).await;
    let setup = "code=AAAA-AAAA-AAAA&house_name=Haus&profile=club&zone=Europe/Berlin&language=de\
                 &username=ada&display_name=Ada&password=a+long+enough+one";
    for (server, path, form, wrong) in
        [(&server, "/sign-in", "username=ada&password=wrong", 401), (&empty, "/setup", setup, 403)]
    {
        let nobody = server.nobody();
        for _ in 0..10 {
            assert_eq!(post(&nobody, path, form).await.status, wrong);
        }
        let answer = post(&nobody, path, form).await;
        assert_eq!(answer.status, 429);
        assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
        assert!(text(&answer).contains("<form"), "it is the page that says so");
    }
}

#[tokio::test]
async fn the_language_of_a_door_is_one_press_away() {
    let server = TestServer::start().await;
    server.account("Ada Lead", Role::Admin).await;
    let nobody = server.nobody();
    let switched = nobody.get("/sign-in?next=/help&lang=en").await.unwrap();
    assert_eq!(location(&switched), "/sign-in?next=/help");
    assert_eq!(switched.cookies(), "daybook_lang=en");
    let english = server.nobody().with("cookie", "daybook_lang=en; daybook_theme=dark");
    let page = text(&english.get("/sign-in").await.unwrap());
    assert!(page.contains(r#"<html lang="en" data-theme="dark">"#) && page.contains("Password"));
}

#[tokio::test]
async fn a_mistyped_address_is_told_of_in_the_other_language_at_one_press_and_leads_nowhere_else() {
    let server = TestServer::start().await;
    let browser = server.nobody().with("accept", "text/html").with("accept-language", "de");
    let lost = browser.get("/persoenen").await.unwrap();
    assert!(lost.status == 404 && text(&lost).contains(r#"href="?lang=en""#), "{}", text(&lost));
    let switched = browser.get("/persoenen?lang=en").await.unwrap();
    assert_eq!(location(&switched), "/persoenen");
    assert_eq!(switched.cookies(), "daybook_lang=en");
    assert_eq!(location(&browser.get("//evil.example?lang=en").await.unwrap()), "/");
}

#[tokio::test]
async fn a_new_house_is_set_up_by_the_form_and_only_once() {
    let server = TestServer::of(TestStore::empty()).await;
    let nobody = server.nobody();
    assert_eq!(location(&nobody.get("/").await.unwrap()), "/setup");
    assert_eq!(location(&nobody.get("/sign-in").await.unwrap()), "/setup");
    let code = server.write(Actor::System, setup::new_code).await.unwrap();
    let form = |code: &str, zone: &str| {
        format!(
            "code={code}&house_name=Haus+am+See&profile=club&zone={zone}&language=de\
             &username=ada&display_name=Ada+Lead&password=a+long+enough+one&late_after=8%3A15"
        )
    };
    let wrong = post(&nobody, "/setup", &form("AAAA-AAAA-AAAA", "Europe/Berlin")).await;
    assert_eq!(wrong.status, 403);
    assert!(text(&wrong).contains("Haus am See"), "what was typed is still there");
    assert_eq!(post(&nobody, "/setup", &form(&code, "Nowhere/Land")).await.status, 422);

    let done = post(&nobody, "/setup", &form(&code, "Europe/Berlin")).await;
    assert_eq!(location(&done), "/");
    let ada = server.nobody().with("cookie", done.cookies());
    assert!(text(&ada.get("/").await.unwrap()).contains("Haus am See"));
    let house = ada.get("/api/v1/house").await.unwrap().json().unwrap();
    assert_eq!(house["late_after"], "08:15", "as it was meant when 8:15 was typed");
    assert_eq!(nobody.get("/setup").await.unwrap().status, 410);
    assert_eq!(post(&nobody, "/setup", &form(&code, "Europe/Berlin")).await.status, 410);
}

#[tokio::test]
async fn what_is_wrong_in_the_set_up_form_is_said_in_the_language_of_the_page() {
    let server = TestServer::of(TestStore::empty()).await;
    let code = server.write(Actor::System, setup::new_code).await.unwrap();
    let form = |changed: &str, value: &str| {
        let fields = [
            ("code", code.as_str()),
            ("house_name", "Haus"),
            ("profile", "club"),
            ("zone", "Europe/Berlin"),
            ("language", "de"),
            ("late_after", ""),
            ("closes_at", "19:00"),
            ("username", "ada"),
            ("display_name", "Ada"),
            ("password", "a+long+enough+one"),
        ];
        let pair = |(name, old): (&str, &str)| {
            format!("{name}={}", if name == changed { value } else { old })
        };
        fields.map(pair).join("&")
    };
    let long = "x".repeat(200);
    for (field, value, german, english) in [
        ("code", "AAAA-AAAA-AAAA", "Das ist nicht der Code.", "This is not the code."),
        ("house_name", "", "Der Name des Hauses fehlt", "The name of the house is missing"),
        ("zone", "Nowhere/Land", "Diese Zeitzone ist nicht bekannt.", "not known."),
        ("late_after", "19:00", "Beides sind Uhrzeiten", "Both are times of day"),
        ("closes_at", "evening", "Beides sind Uhrzeiten", "Both are times of day"),
        ("display_name", &long, "Ihr Name fehlt", "Your name is missing"),
        ("username", "a+b", "Der Benutzername darf", "The user name may have"),
        ("password", "short", "leicht zu erraten", "easy to guess"),
        ("password", "password1", "leicht zu erraten", "easy to guess"),
    ] {
        for (language, text_of_it) in [("de", german), ("en", english)] {
            let nobody = server.nobody().with("accept-language", language);
            let answer = post(&nobody, "/setup", &form(field, value)).await;
            let page = text(&answer);
            let alert =
                page.split("id=\"problem\">").nth(1).and_then(|rest| rest.split('<').next());
            let alert = alert.unwrap_or_else(|| panic!("{field}: {}", answer.status));
            assert!(alert.contains(text_of_it), "{field} {language}: {alert}");
            assert!(!alert.contains("must") && !alert.contains('$'), "{field} {language}: {alert}");
        }
    }
}

#[tokio::test]
async fn a_page_begins_with_how_many_wait_and_with_the_groups_for_those_who_see_all() {
    let scene = Scene::new().await;
    let [lead, office, eva, otto, mia] =
        scene.signed_in([scene.lead, scene.office, scene.eva, scene.otto, scene.mia]).await;
    for (member, priority) in [(scene.mia, Priority::Normal), (scene.zoe, Priority::Urgent)] {
        ask(&scene, member, priority).await.unwrap();
    }
    let board = lead.get("/api/v1/board").await.unwrap().json().unwrap();
    let whole = json!([{ "id": scene.blue, "name": "Blau" }]);
    for (client, waiting, groups) in [
        (lead, Some(2), &whole),
        (office, Some(2), &whole),
        (eva, Some(2), &json!([])),
        // Of those out of scope, the urgent ones.
        (otto, Some(1), &json!([])),
        (mia, None, &json!([])),
    ] {
        let me = client.get("/api/v1/me").await.unwrap().json().unwrap();
        assert_eq!((me["waiting"].as_u64(), &me["groups"]), (waiting, groups));
        assert_eq!(me["cursor"], board["cursor"], "its stream misses nothing from there on");
    }
}
