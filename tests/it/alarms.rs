//! Alarms of badge readers, through the heartbeat that a reader really sends.

use std::time::Duration;

use daybook::domain::people::Role;
use daybook::jobs;
use serde_json::{Value, json};

use crate::devices::{beat, heard, listed, reader};
use crate::server::TestServer;
use crate::store::START;

#[tokio::test]
async fn a_clock_that_is_more_than_thirty_seconds_wrong_is_an_alarm_until_it_is_right() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Lea Lead", Role::Admin).await;
    let reader = reader(&server, json!({ "name": "Gym", "mode": "toggle" })).await;
    let mut stream = admin.stream("/api/v1/events?topics=devices", &[]).await.unwrap();
    assert_eq!(stream.status, 200);
    let says = async |time: Value| {
        let answer = beat(&reader.client, json!({ "device_time": time })).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        listed(&admin, reader.id).await["alarms"].clone()
    };
    let ms = Duration::from_millis;
    let (none, clock) = (json!([]), json!(["clock"]));

    assert_eq!(says(json!(START)).await, none);
    // Half a minute is not yet wrong; what is beyond is, before the house's time and after it.
    assert_eq!(says(json!(START.plus(ms(30_000)))).await, none);
    assert_eq!(says(json!(START.plus(ms(30_500)))).await, clock);
    assert_eq!(heard(&mut stream, "device.status_changed").await["alarms"], clock);
    assert_eq!(says(json!(START.minus(ms(30_000)))).await, none);
    assert_eq!(heard(&mut stream, "device.status_changed").await["alarms"], none);
    assert_eq!(says(json!(START.minus(ms(30_500)))).await, clock);
    assert_eq!(heard(&mut stream, "device.status_changed").await["alarms"], clock);
    // A reader that says no time leaves it as it was known.
    assert_eq!(says(Value::Null).await, clock);
    assert_eq!(says(json!(START)).await, none);
    assert_eq!(heard(&mut stream, "device.status_changed").await["alarms"], none);
}

#[tokio::test]
async fn the_board_names_the_readers_that_are_dead() {
    let server = TestServer::start().await;
    server.signed_in("Lea Lead", Role::Admin).await;
    let (_, office) = server.signed_in("Olga Orth", Role::Office).await;
    let reader = reader(&server, json!({ "name": "Yard gate", "mode": "toggle" })).await;
    assert_eq!(beat(&reader.client, json!({})).await.status, 200);
    let readers = async || {
        let answer = office.get("/api/v1/board").await.unwrap();
        answer.json().unwrap()["devices"].clone()
    };
    assert_eq!(readers().await, json!({ "online": 1, "late": 0, "offline": 0, "unheard": [] }));
    for (minutes, state) in [(4, "late"), (6, "offline")] {
        server.advance(Duration::from_secs(minutes * 60));
        jobs::do_what_is_due(&server.app).await.unwrap();
        let readers = readers().await;
        assert_eq!(readers["unheard"], json!([{ "name": "Yard gate", "state": state }]));
        assert_eq!(readers[state], 1);
    }
}
