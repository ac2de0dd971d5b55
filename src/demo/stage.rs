//! When the actions of a day are played: what lies before the beginning at once, with the house's
//! clock set to the moment of each; everything after it live, at the chosen speed.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use super::places::device;
use super::play::Player;
use super::script::OFFLINE;
use super::time::{DayTime, END, MIDNIGHT_MS, OPENING};
use crate::base::{Pace, Timestamp};

/// How often a reader says that it is well.
const BEAT: Duration = Duration::from_secs(60);

/// A plan in motion.
#[derive(Debug)]
pub struct Stage {
    player: Player,
    clock: Arc<Pace>,
    /// The place of the next action in the plan.
    next: usize,
}

impl Stage {
    /// Returns the stage of a player and the house's clock, before the day begins.
    pub fn new(player: Player, clock: Arc<Pace>) -> Stage {
        clock.set(Timestamp(OPENING.epoch_ms()), 0);
        Stage { player, clock, next: 0 }
    }

    /// Returns who plays.
    pub fn player(&self) -> &Player {
        &self.player
    }

    /// Plays everything up to and including `until` at once, each action at its own moment, and
    /// leaves the clock standing there. `done` hears how far it is. The day goes on after an
    /// action that fails; the first failure is the answer.
    pub async fn catch_up(&mut self, until: DayTime, mut done: impl FnMut(usize)) -> Result<()> {
        let mut outcome = Ok(());
        while let Some(at) = self.next_at().filter(|at| *at <= until) {
            self.clock.set(Timestamp(at.epoch_ms()), 0);
            let count = self.player.batch_at(self.next);
            outcome = outcome.and(self.player.play(self.next, count, at).await);
            self.next = self.next.saturating_add(count);
            done(self.next);
        }
        self.clock.set(Timestamp(until.epoch_ms()), 0);
        outcome
    }

    /// Plays one action by itself, at the moment that the clock stands at.
    pub async fn play_one(&mut self, place: usize) -> Result<()> {
        let now = self.now();
        self.player.play(place, 1, now).await
    }

    /// Lets every reader that has a network say at once that it is well.
    pub async fn wake_readers(&self) -> Result<()> {
        let now = self.now();
        for device in 0..self.player.house().devices.len() {
            if has_network(device, now) {
                self.player.beat(device, now).await?;
            }
        }
        Ok(())
    }

    /// Plays the rest of the day live, `speed` times as fast as the wall, and leaves the clock
    /// standing at its end. The clock never passes an action that has not been played: where the
    /// machine is too slow, the day is. An action that fails is told and passed over.
    pub async fn run(&mut self, speed: u32) {
        let begin = self.now();
        let mut beats = Beats::after(begin, BEAT);
        self.clock.set(Timestamp(begin.epoch_ms()), speed);
        loop {
            let action = self.next_at().unwrap_or(END);
            let next = action.min(beats.at);
            self.clock.hold(Timestamp(next.epoch_ms()));
            self.wait_for(next, speed).await;
            if beats.at < action {
                self.beat(beats.device, beats.at).await;
                beats.step();
                continue;
            }
            if self.next_at().is_none() {
                break;
            }
            let count = self.player.batch_at(self.next);
            if let Err(error) = self.player.play(self.next, count, self.now()).await {
                tracing::warn!(error = format!("{error:#}"), "an action of the demo failed");
            }
            self.next = self.next.saturating_add(count);
        }
        self.clock.set(Timestamp(END.epoch_ms()), 0);
    }

    async fn beat(&self, device: usize, at: DayTime) {
        if !has_network(device, at) {
            return;
        }
        if let Err(error) = self.player.beat(device, self.now()).await {
            tracing::warn!(error = format!("{error:#}"), "a heartbeat of the demo failed");
        }
    }

    fn next_at(&self) -> Option<DayTime> {
        self.player.plan().actions.get(self.next).map(|planned| planned.at)
    }

    fn now(&self) -> DayTime {
        DayTime::at(0, 0, 0).plus_ms(self.clock.now().0 - MIDNIGHT_MS)
    }

    /// Waits until the clock is there, and is held there.
    async fn wait_for(&self, at: DayTime, speed: u32) {
        loop {
            let ahead = at.ms() - self.now().ms();
            let Ok(ahead @ 1..) = u64::try_from(ahead) else { return };
            let wait = Duration::from_millis(ahead).checked_div(speed.max(1)).unwrap_or_default();
            tokio::time::sleep(wait).await;
        }
    }
}

/// Whose turn it is to say that it is well; the readers' turns lie evenly in the minute.
struct Beats {
    at: DayTime,
    device: usize,
    /// From one reader to the next.
    step_ms: i64,
}

const READERS: usize = device::COMPUTER + 1;

impl Beats {
    fn after(begin: DayTime, every: Duration) -> Beats {
        let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
        let readers = i64::try_from(READERS).unwrap_or(1);
        Beats { at: begin, device: 0, step_ms: every / readers }
    }

    fn step(&mut self) {
        self.device = (self.device + 1) % READERS;
        self.at = self.at.plus_ms(self.step_ms);
    }
}

fn has_network(device: usize, at: DayTime) -> bool {
    let (offline, since, until) = OFFLINE;
    device != offline || at < since || at >= until
}

#[cfg(test)]
mod tests {
    use super::{BEAT, Beats, DayTime, READERS, has_network};
    use crate::demo::house::House;

    #[test]
    fn every_reader_beats_once_a_minute_and_the_day_has_as_many_as_the_model_says() {
        assert_eq!(House::new(1).devices.len(), READERS);
        let mut beats = Beats::after(DayTime::at(6, 0, 0), BEAT);
        let (mut planned, mut lost) = (0, 0);
        while beats.at < DayTime::at(18, 0, 0) {
            planned += 1;
            lost += usize::from(!has_network(beats.device, beats.at));
            beats.step();
        }
        // Twenty of them are never sent: one tablet has no network for twenty minutes.
        assert_eq!((planned, lost), (8640, 20));
        assert_eq!(beats.step_ms * 12, 60_000);
    }
}
