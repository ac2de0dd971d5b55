//! The timetable: figures that have become stale, the close of the day, what
//! is due by the minute, and the nightly clean-up. Bodies live in the domain.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::Connection;
use tokio::task::JoinSet;

use crate::app::App;
use crate::base::{Actor, Result, Timestamp};
use crate::domain::people::sessions;
use crate::domain::visits::model::Today;
use crate::domain::{devices, help, house, people, rooms, tracking, visits};
use crate::event::{Signal, Stale};
use crate::live::{Tx, log, once};
use crate::memory;

/// The least time between two figures of one kind on the wire.
const FIGURES_PERIOD: Duration = Duration::from_secs(1);

/// How often the house's clock is looked at. A faster day has shorter minutes.
const LOOK_PERIOD: Duration = Duration::from_millis(500);

/// So many streams more or fewer are a rush.
const RUSH: u64 = 100;

/// A rush is over when as many streams are open as so long ago.
const QUIET: Duration = Duration::from_secs(1);

/// How often memory is given back at rest: it takes a millisecond.
const NOW_AND_THEN: Duration = Duration::from_mins(1);

/// Minutes after local midnight of the nightly clean-up: nobody is there.
const CLEAN_UP_AT: i64 = 3 * 60 + 30;

/// How long answers are kept for repeats (interface: 24 hours).
const ANSWERS_KEPT: Duration = Duration::from_hours(24);

/// The tasks of the timetable. They end when this is dropped or stopped.
pub struct Jobs {
    tasks: JoinSet<()>,
}

impl Jobs {
    /// Starts the timetable.
    pub fn spawn(app: &App) -> Jobs {
        let mut tasks = JoinSet::new();
        tasks.spawn(send_figures(app.clone()));
        tasks.spawn(look_at_the_clock(app.clone()));
        tasks.spawn(give_memory_back(app.clone()));
        Jobs { tasks }
    }

    /// Ends the tasks; a write that one of them has queued is still done.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Sends figures that writes have made stale: at once, then at most once a second.
async fn send_figures(app: App) {
    loop {
        for figure in app.hub.take_stale().await {
            let sent = app.snapshot(move |conn, now| signal_of(conn, figure, now)).await;
            match sent {
                Ok((at, Some(signal))) => app.hub.signal(&signal, at.as_of),
                Ok((_, None)) => (),
                Err(error) => tracing::warn!(error = error.chain(), "figures could not be read"),
            }
        }
        tokio::time::sleep(FIGURES_PERIOD).await;
    }
}

/// Gives back the memory that nobody uses: what the start has left, after a rush of streams, as
/// after a restart, once it is over, and now and then.
async fn give_memory_back(app: App) {
    let (mut given_at, mut before, mut waited) = (0_i64, 0, NOW_AND_THEN);
    loop {
        tokio::time::sleep(QUIET).await;
        waited += QUIET;
        let streams = app.hub.metrics().streams.load(Ordering::Relaxed);
        let is_over = streams == before && streams.abs_diff(given_at) >= RUSH;
        if is_over || waited >= NOW_AND_THEN {
            (given_at, waited) = (streams, Duration::ZERO);
            // Fails only when the runtime ends.
            let _ = tokio::task::spawn_blocking(memory::give_back).await;
        }
        before = streams;
    }
}

/// Computes a figure. None when there is no house yet, or the room has gone.
fn signal_of(conn: &Connection, figure: Stale, now: Timestamp) -> Result<Option<Signal>> {
    if !house::queries::exists(conn)? {
        return Ok(None);
    }
    let day = house::queries::house(conn)?.day(now);
    let (kind, data) = match figure {
        Stale::Counts => {
            ("house.counts_changed", serde_json::to_value(visits::queries::counts(conn, day)?))
        }
        Stale::Room(id) => {
            let Some(place) = visits::queries::place(conn, id)? else { return Ok(None) };
            let data = serde_json::json!({
                "room_id": id,
                "count": place.count,
                "capacity": place.capacity,
                "run_id": place.run.map(|(run, _)| run),
            });
            ("room.occupancy_changed", Ok(data))
        }
        Stale::Queue => {
            ("queue.changed", serde_json::to_value(help::queries::figures(conn, day, now)?))
        }
    };
    let data = data.map_err(anyhow::Error::from)?;
    Ok(Some(Signal { kind, topics: figure.topics(), data }))
}

/// Does what is due, once in each minute of the house's clock; what ends
/// streams does not wait for the minute.
async fn look_at_the_clock(app: App) {
    let mut last = Timestamp(i64::MIN);
    loop {
        let now = app.clock.now();
        if let Err(error) = end_substitutions(&app, now).await {
            tracing::warn!(error = error.chain(), "a substitution that is over could not be ended");
        }
        if let Err(error) = end_sessions(&app, now).await {
            tracing::warn!(error = error.chain(), "a session that has expired could not be ended");
        }
        if now.0.div_euclid(60_000) != last.0.div_euclid(60_000) {
            last = now;
            if let Err(error) = do_what_is_due(&app).await {
                tracing::warn!(
                    error = error.chain(),
                    "the timetable is behind; the next minute tries again"
                );
            }
        }
        tokio::time::sleep(LOOK_PERIOD).await;
    }
}

/// Does everything that is due by now. A box that was off catches up.
pub async fn do_what_is_due(app: &App) -> Result<()> {
    if !app.read(house::queries::exists).await? {
        return Ok(());
    }
    end_sessions(app, app.clock.now()).await?;
    app.write(Actor::System, "jobs.devices", devices::health::watch).await?;
    end_substitutions(app, app.clock.now()).await?;
    app.write(Actor::System, "jobs.missing", visits::day::mark_missing).await?;
    app.write(Actor::System, "jobs.close_day", close_day).await?;
    clean_up(app).await
}

/// Ends the substitutions that are over, so that streams which are open close.
async fn end_substitutions(app: &App, now: Timestamp) -> Result<()> {
    if app.read(rooms::queries::next_due).await?.is_some_and(|due| due <= now) {
        app.write(Actor::System, "jobs.supervision", rooms::commands::end_due).await?;
    }
    Ok(())
}

/// Ends the sessions that have expired, and their streams with them.
async fn end_sessions(app: &App, now: Timestamp) -> Result<()> {
    if app.read(move |conn| sessions::any_expired(conn, now)).await? {
        app.write(Actor::System, "jobs.sessions", sessions::end_expired).await?;
    }
    Ok(())
}

/// Closes every day that is over: visits, attendance, runs and help requests.
fn close_day(tx: &mut Tx<'_>) -> Result<()> {
    visits::day::close_day(tx)?;
    let last_close = Today::at(tx, tx.now)?.last_close(tx.now);
    help::commands::expire(tx, last_close)?;
    Ok(())
}

/// Forgets what has been kept long enough: once a day, at night, or when a box
/// that is switched off at night comes back.
async fn clean_up(app: &App) -> Result<()> {
    let house = app.read(house::queries::house).await?;
    let now = app.clock.now();
    let today = house.day(now);
    if now < today.at_minute(CLEAN_UP_AT, &house.time_zone()) {
        return Ok(());
    }
    let config = app.config.clone();
    let before = move |days: u32| now.minus(Duration::from_hours(24) * days);
    let cleaned = app.write(Actor::System, "jobs.clean_up", move |tx| {
        if !house::commands::begin_clean_up(tx, today)? {
            return Ok(false);
        }
        log::prune(tx, before(config.events_keep_days))?;
        once::prune(tx, now.minus(ANSWERS_KEPT))?;
        people::audit::prune(tx, before(config.audit_keep_days))?;
        rooms::imports::prune(tx)?;
        devices::commands::prune(tx)?;
        visits::keeping::prune(tx, before(config.visits_keep_days))?;
        visits::keeping::prune_reasons(tx, now.minus(visits::keeping::REASONS_KEPT))?;
        visits::keeping::prune_scans(tx, before(config.scans_keep_days))?;
        help::commands::prune_words(tx, before(config.help_keep_days))?;
        tracking::commands::prune(tx, before(config.activity_keep_days))?;
        Ok(true)
    });
    if cleaned.await? {
        app.replay.forget();
    }
    Ok(())
}
