//! What a command beside the server writes: the server does what follows from it.

use std::time::Duration;

use daybook::app::App;
use daybook::base::id::DisplayId;
use daybook::base::{Actor, Clock};
use daybook::client::Client;
use daybook::config::Config;
use daybook::domain::devices::displays;
use daybook::domain::help::leaving;
use daybook::domain::people::model::{NewPerson, PersonChange};
use daybook::domain::people::{self, Role};
use daybook::event::Stale;
use daybook::live::Tx;
use daybook::store::directory::DATABASE;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::callers::PATIENCE;
use crate::server::TestServer;
use crate::session::{goodbye, stream};

/// Runs a write in a process of its own, as far as the server can tell.
async fn beside<T: Send + 'static>(
    server: &TestServer,
    write: impl FnOnce(&mut Tx<'_>) -> daybook::base::Result<T> + Send + 'static,
) -> T {
    let config = Config::of(server.dir.path()).unwrap();
    let (command, _threads) = App::open(config, Clock::System).unwrap();
    let written = command.write(Actor::System, "test", write).await.unwrap();
    // The server's pulse writes twice a second; here this stands for it.
    server.write(Actor::System, |_| Ok(())).await.unwrap();
    written
}

#[tokio::test]
async fn a_password_that_is_set_ends_the_streams_of_the_old_one() {
    let server = TestServer::start().await;
    let (ada, client) = server.signed_in("Ada Krause", Role::Staff).await;
    let open = stream(&client).await;
    beside(&server, move |tx| people::commands::set_password(tx, ada, "another hash", None)).await;
    assert_eq!(goodbye(open).await, "session_ended");
}

#[tokio::test]
async fn other_rights_end_the_streams_that_had_the_old_ones_and_no_others() {
    let server = TestServer::start().await;
    let (ada, client) = server.signed_in("Ada Krause", Role::Staff).await;
    let (ben, other) = server.signed_in("Ben Lang", Role::Staff).await;
    let (open, stays) = (stream(&client).await, stream(&other).await);
    let change = PersonChange { role: Some(Role::Office), ..PersonChange::default() };
    beside(&server, move |tx| people::commands::change(tx, ada, change)).await;
    assert_eq!(goodbye(open).await, "access_changed");
    assert_eq!((server.app.hub.streams_of(ada), server.app.hub.streams_of(ben)), (0, 1));
    drop(stays);
}

#[tokio::test]
async fn an_import_that_is_undone_ends_the_streams_of_those_who_saw_others() {
    let server = TestServer::start().await;
    let (_, client) = server.signed_in("Ada Krause", Role::Staff).await;
    let take =
        |tx: &mut Tx<'_>, file: &str| leaving::take_over(tx, people::import::read(file.as_bytes()));
    beside(&server, move |tx| take(tx, "Name;Rolle;Gruppe\nAda Krause;Lehrerin;Igel\n")).await;
    let report = beside(&server, move |tx| take(tx, "Name;Gruppe\nMia Berg;Igel\n")).await;
    let open = stream(&client).await;
    beside(&server, move |tx| leaving::undo_import(tx, report.import_id.unwrap())).await;
    assert_eq!(goodbye(open).await, "access_changed");
}

#[tokio::test]
async fn figures_are_computed_again_though_nothing_was_logged() {
    let server = TestServer::start().await;
    server.write(Actor::System, |_| Ok(())).await.unwrap();
    beside(&server, |tx| {
        people::commands::enrol(tx, NewPerson::named("Mia", "Berg", Role::Member))
    })
    .await;
    let stale = server.app.hub.take_stale().await;
    assert!(stale.contains(&Stale::Counts) && stale.contains(&Stale::Queue), "{stale:?}");
}

#[tokio::test]
async fn a_wall_stays_open_until_it_is_its_own_token_that_has_ended() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Lea Lead", Role::Admin).await;
    let made = admin.post("/api/v1/displays", &json!({ "name": "Foyer" })).await.unwrap();
    let made: Value = made.json().unwrap();
    let key = made["token"].as_str().unwrap();
    let wall = Client::new(server.address).with("authorization", format!("Bearer {key}"));
    let open = stream(&wall).await;
    beside(&server, |tx| people::commands::enrol(tx, NewPerson::named("A", "B", Role::Member)))
        .await;
    assert_eq!(server.app.hub.streams(), 1);
    beside(&server, |tx| displays::revoke(tx, DisplayId(1))).await;
    assert_eq!(goodbye(open).await, "session_ended");
}

#[tokio::test]
async fn a_log_that_was_emptied_at_rest_is_nobody_s_write() {
    let server = TestServer::start().await;
    let log = server.dir.path().join(format!("{DATABASE}-wal"));
    let emptied = async {
        while log.metadata().unwrap().len() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, emptied).await.expect("the log is emptied at rest");
    timeout(Duration::ZERO, server.app.hub.take_stale()).await.ok();
    server.write(Actor::System, |_| Ok(())).await.unwrap();
    let stale = timeout(Duration::ZERO, server.app.hub.take_stale()).await;
    assert!(stale.is_err(), "{stale:?}");
}
