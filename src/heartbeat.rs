//! The heartbeat of the house: once a second, a sign of life for a part of the streams, and news
//! of who has come, gone or turned away. The first waits for nothing that the second has to read.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::app::App;
use crate::base::Result;
use crate::domain::people::{online, sessions};
use crate::event::Topic;
use crate::live::hub::TURNS;

/// How often it beats.
const PERIOD: Duration = Duration::from_secs(1);
/// The least time between two tellings of who is there: what changes meanwhile is told together.
const TOLD_PERIOD: Duration = Duration::from_secs(5);
/// How many people are told of one by one in one beat; beyond them only the list is told, as
/// after a restart, when everybody comes at once.
const ONE_BY_ONE_MAX: usize = 50;

/// Beats for as long as it is polled.
pub async fn run(app: App) {
    tokio::join!(give_signs_of_life(app.clone()), tell_presence(app));
}

async fn give_signs_of_life(app: App) {
    let mut tick = beats();
    for turn in (0..TURNS).cycle() {
        tick.tick().await;
        app.hub.beat(turn, app.clock.now());
    }
}

async fn tell_presence(app: App) {
    let mut heart = Heart::new(app);
    let mut tick = beats();
    loop {
        let now = tick.tick().await;
        if let Err(error) = heart.beat(now.into_std()).await {
            tracing::warn!(
                error = error.chain(),
                "presence could not be told; the next beat tries again"
            );
        }
    }
}

fn beats() -> Interval {
    let mut tick = interval(PERIOD);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}

/// What is kept of presence from beat to beat.
pub struct Heart {
    app: App,
    /// The topics whose list has changed since it was told.
    stale: BTreeSet<Topic>,
    /// When somebody's presence was last told.
    told: Option<Instant>,
}

impl Heart {
    /// Returns a heart that has not beaten yet.
    pub fn new(app: App) -> Heart {
        Heart { app, stale: BTreeSet::new(), told: None }
    }

    /// Beats once, at `now`.
    pub async fn beat(&mut self, now: Instant) -> Result<()> {
        self.app.presence.look(&self.app.hub, self.app.clock.now());
        self.forget_the_signed_out().await?;
        if self.told.is_some_and(|at| now.saturating_duration_since(at) < TOLD_PERIOD) {
            return Ok(());
        }
        self.tell_changes().await?;
        if !self.stale.is_empty() {
            self.tell_lists().await?;
            self.told = Some(now);
        }
        Ok(())
    }

    /// Who has no stream and no login left is gone, whatever they asked for a moment ago.
    async fn forget_the_signed_out(&self) -> Result<()> {
        let mut quiet = self.app.presence.everybody();
        quiet.retain(|here| here.streams == 0);
        if quiet.is_empty() {
            return Ok(());
        }
        let now = self.app.clock.now();
        let gone = self.app.read(move |conn| {
            let mut gone = Vec::new();
            for here in quiet {
                if sessions::of(conn, here.person, now)?.is_empty() {
                    gone.push(here.person);
                }
            }
            Ok(gone)
        });
        gone.await?.into_iter().for_each(|person| self.app.presence.left(person));
        Ok(())
    }

    async fn tell_changes(&mut self) -> Result<()> {
        let now = self.app.clock.now();
        let changes = self.app.presence.changes();
        if changes.is_empty() {
            return Ok(());
        }
        let here: Vec<_> = changes.iter().map(|change| change.here).collect();
        let known = self.app.read(move |conn| online::known(conn, &here)).await?;
        for online in &known {
            self.stale.extend(online.audience.iter().copied());
            let change = changes.iter().find(|change| change.here.person == online.here.person);
            let Some(change) = change.filter(|_| known.len() <= ONE_BY_ONE_MAX) else { continue };
            for news in online::news(online, change) {
                self.app.hub.signal(&news, now);
            }
        }
        Ok(())
    }

    async fn tell_lists(&mut self) -> Result<()> {
        let here = self.app.presence.everybody();
        let everybody = self.app.read(move |conn| online::known(conn, &here)).await?;
        let now = self.app.clock.now();
        for list in online::lists(&everybody, &std::mem::take(&mut self.stale)) {
            self.app.hub.signal(&list, now);
        }
        Ok(())
    }
}
