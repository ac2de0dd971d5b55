//! What every edge holds: the store, the writer, the hub and the clock.

use std::ops::Deref;
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::id::DisplayId;
use crate::base::secret::OperatorKey;
use crate::base::{Actor, Clock, Result, Timestamp};
use crate::config::Config;
use crate::domain::devices::{KeyRing, Pairings, displays};
use crate::domain::{people, visits};
use crate::event::wire::Logged;
use crate::event::{Cursor, Stale, Topic};
use crate::live::checkpoint::Checkpoints;
use crate::live::hasher::Cost;
use crate::live::writer::Bounds;
use crate::live::{Durable, Hasher, Hub, Once, Presence, Replay, Tx, Writer, courier, log, once};
use crate::store::{self, Store, directory};

/// The running house. Clones are the same one.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What a running house is made of.
pub struct Parts {
    pub config: Config,
    pub store: Store,
    pub writer: Writer,
    pub durable: Durable,
    pub hub: Hub,
    pub replay: Replay,
    pub hasher: Hasher,
    /// The keys of badge readers and wall screens that are good now.
    pub keys: KeyRing,
    /// The wall screens that wait for the lead.
    pub pairings: Pairings,
    pub clock: Clock,
    pub presence: Presence,
    /// The key of whoever owns the data directory.
    pub operator: OperatorKey,
}

/// What must be ended, in this order, when the house stops.
pub struct Threads {
    /// Ends when the last [`App`] is dropped and its queue is written.
    pub writer: JoinHandle<()>,
    pub checkpoints: Checkpoints,
    /// End with the last [`App`].
    pub hashers: Vec<JoinHandle<()>>,
    /// End with the last [`Hub`], which open feeds hold too.
    pub couriers: Vec<JoinHandle<()>>,
}

/// The moment and the log position that a snapshot was read at.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AsOf {
    pub as_of: Timestamp,
    /// Open the stream with `?after=` this: nothing is missed, nothing comes twice.
    pub cursor: Cursor,
}

impl Threads {
    /// Waits for all to end, once the last [`App`] has been dropped: the writer
    /// writes its queue, then the log moves into the database file.
    pub fn join(self) {
        // A panic in one of them has been reported by the panic hook.
        let _ = self.writer.join();
        self.checkpoints.stop();
        for thread in self.hashers.into_iter().chain(self.couriers) {
            let _ = thread.join();
        }
    }
}

impl App {
    /// Opens the database in the data directory and starts the threads of the spine.
    pub fn open(config: Config, clock: Clock) -> anyhow::Result<(App, Threads)> {
        App::open_with(config, clock, Cost::HOUSE)
    }

    /// Like [`App::open`], but the hash of a password costs `cost`.
    pub fn open_with(config: Config, clock: Clock, cost: Cost) -> anyhow::Result<(App, Threads)> {
        let path = config.data.join(directory::DATABASE);
        let store = Store::open(&path, config.read_connections)?;
        let durable = Durable::default();
        let name_of = Arc::new(people::queries::display_name);
        let replay = Replay::new(store.clone(), durable.clone(), name_of);
        let conn = store.write_connection()?;
        let head = log::head(&conn)?;
        let keys = KeyRing::default();
        keys.reload(&conn)?;
        let hub = Hub::new(store.epoch().clone(), head);
        let couriers = courier::spawn(&hub)?;
        let bounds = Bounds { queue: config.write_queue, batch: config.write_batch };
        let (ring, streams) = (keys.clone(), hub.clone());
        let refresh = Arc::new(move |conn: &Connection, beside: Option<&[Logged]>| {
            ring.reload(conn)?;
            end_streams(conn, &streams)?;
            beside.map_or(Ok(()), |logged| catch_up(conn, &streams, logged))
        });
        let (writer, thread) = Writer::spawn(
            &store,
            clock.clone(),
            hub.clone(),
            replay.clone(),
            durable.clone(),
            refresh,
            bounds,
        )?;
        let checkpoints = Checkpoints::spawn(&store, &writer, durable.clone())?;
        let (hasher, hashers) = Hasher::spawn(cost)?;
        let presence = Presence::default();
        let operator = OperatorKey::new()?;
        let parts = Parts {
            config,
            store,
            writer,
            durable,
            hub,
            replay,
            hasher,
            keys,
            pairings: Pairings::default(),
            clock,
            presence,
            operator,
        };
        Ok((App(Arc::new(parts)), Threads { writer: thread, checkpoints, hashers, couriers }))
    }

    /// Runs `write` in the next commit; `name` is for log and metrics.
    pub async fn write<T: Send + 'static>(
        &self,
        by: Actor,
        name: &'static str,
        write: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.run(by, name, write).await
    }

    /// Returns when the disk has taken a write, by which nothing has changed.
    pub async fn prove_writable(&self) -> Result<()> {
        self.write(Actor::System, "store.prove", |tx| store::write_again(tx)).await
    }

    /// Like [`App::write`], but a repeat under the same key gives the stored answer.
    pub async fn write_once<T>(
        &self,
        key: Option<Once>,
        by: Actor,
        name: &'static str,
        write: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        self.writer
            .run(by, name, move |tx| match key {
                Some(key) => once::once(tx, &key, write),
                None => write(tx),
            })
            .await
    }

    /// Runs `read` in one read transaction.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.store.read(read).await
    }

    /// Runs `read`, and says at which moment and log position it was read.
    pub async fn snapshot<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection, Timestamp) -> Result<T> + Send + 'static,
    ) -> Result<(AsOf, T)> {
        let (as_of, epoch) = (self.clock.now(), self.store.epoch().clone());
        let read = move |conn: &Connection| {
            let cursor = Cursor { epoch, seq: log::head(conn)? };
            Ok((AsOf { as_of, cursor }, read(conn, as_of)?))
        };
        let read = self.store.read(read).await?;
        // A position that a power cut takes back would be given again to another event.
        self.durable.settled().await?;
        Ok(read)
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Does what follows from a write of a command beside the server, which has told its own process
/// alone: streams whose rights have changed are decided anew, figures computed again.
fn catch_up(conn: &Connection, hub: &Hub, logged: &[Logged]) -> Result<()> {
    for event in logged.iter().filter(|event| event.kind == "access.changed") {
        for topic in &event.topics {
            if let Topic::Inbox(person) = topic {
                hub.cut_person(*person, "access_changed");
            }
        }
    }
    let rooms = visits::queries::occupancies(conn)?;
    let rooms = rooms.into_iter().map(|room| Stale::Room(room.room_id));
    hub.stale(rooms.chain([Stale::Counts, Stale::Queue]).collect());
    Ok(())
}

/// Ends the streams of sessions and wall screens that a command beside the server has ended.
fn end_streams(conn: &Connection, hub: &Hub) -> Result<()> {
    let mut open = people::sessions::open_ones(conn)?;
    open.extend(displays::open_ones(conn)?.into_iter().map(DisplayId::session));
    for ended in hub.sessions().iter().filter(|session| !open.contains(*session)) {
        hub.cut_session(ended, "session_ended");
    }
    Ok(())
}
