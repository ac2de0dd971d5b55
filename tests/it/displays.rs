//! Wall screens: a token that reads what is for the corridor, and nothing else.

use daybook::domain::people::Role;
use hyper::Method;
use serde_json::json;

use crate::devices::{heard, reader, text, with_key};
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
