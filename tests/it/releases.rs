//! A help request that is given back has nobody, as before it was taken.

use daybook::client::Client;
use serde_json::{Value, json};

use crate::scene::Scene;

async fn queue(client: &Client) -> Value {
    client.get("/api/v1/help-requests").await.unwrap().json().unwrap()
}

/// How long each in the queue has waited, as far as anybody has come.
async fn waits(client: &Client) -> Vec<Value> {
    let queue = queue(client).await;
    queue["items"].as_array().unwrap().iter().map(|one| one["wait_s"].clone()).collect()
}

#[tokio::test]
async fn who_was_given_back_waits_on_and_counts_for_nobody_who_was_helped() {
    let scene = Scene::new().await;
    let [lead, eva, mia, ben] =
        scene.signed_in([scene.lead, scene.eva, scene.mia, scene.ben]).await;
    let mut ids = Vec::new();
    for member in [&mia, &ben] {
        let asked = member.post("/api/v1/help-requests", &json!({ "content": "?" })).await;
        ids.push(asked.unwrap().json().unwrap()["id"].as_str().unwrap().to_owned());
        scene.pass(10);
    }
    let act = async |id: &str, act: &str| {
        let path = format!("/api/v1/help-requests/{id}/{act}");
        let answer = eva.post(&path, &json!({})).await.unwrap();
        assert_eq!(answer.status, 200, "{act}");
        answer.json().unwrap()
    };
    for released in [&["claim", "release"][..], &["claim", "hold", "release"]] {
        for step in released {
            act(&ids[0], step).await;
        }
        let help = act(&ids[0], "claim").await;
        assert_eq!(help["claimed_at"], json!(scene.now()), "{released:?}");
        let help = act(&ids[0], "release").await;
        assert_eq!((&help["status"], &help["claimed_at"]), (&json!("pending"), &Value::Null));
        assert_eq!(help["position"], 1);
        scene.pass(40);
    }
    // Since they asked, 100 and 90 seconds have gone by, and nobody is helped yet.
    assert_eq!(waits(&eva).await, [100, 90]);
    assert_eq!(queue(&eva).await["median_wait_s"], Value::Null);
    let board = lead.get("/api/v1/board").await.unwrap().json().unwrap();
    assert_eq!(board["help"]["longest_wait_s"], 100);
    act(&ids[0], "resolve").await;
    assert_eq!(queue(&eva).await["median_wait_s"], 100);
}
