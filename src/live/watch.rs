//! Who listens, and how well they keep up: what an operator asks of the hub.

use std::cmp::Reverse;
use std::sync::Arc;

use super::hub::{Holder, Hub};
use super::ring::Ring;
use super::slot::{Slot, SlotId};
use crate::event::Topic;
use crate::event::wire::Frame;
use crate::words;

words! {
    /// What carries a stream.
    Carrier {
        Sse = "sse", WebSocket = "websocket",
        ClassicSse = "classic_sse", ClassicWebSocket = "classic_websocket",
    }
}

words! {
    /// What kind of device somebody holds, as far as it can be told.
    DeviceKind { Desktop = "desktop", Phone = "phone", Tablet = "tablet", Unknown = "unknown" }
}

/// How many are looked at closely for each that is named: who is far behind by frames may hear few
/// of them.
const SUSPECTS: usize = 8;

/// All who listen at one moment.
#[derive(Debug, Clone)]
pub struct Audience {
    /// How many streams each carrier has, in the order of [`Carrier::ALL`].
    pub streams: Vec<(Carrier, usize)>,
    /// Those who are behind, the slowest first.
    pub slowest: Vec<Laggard>,
}

/// A subscriber that is behind.
#[derive(Debug, Clone)]
pub struct Laggard {
    pub holder: Holder,
    /// Events that it has still to be handed. What the ring no longer holds counts whoever hears it.
    pub lag_events: u64,
    /// Bytes that wait for it: what it was handed and has not taken, and what the ring has for it.
    pub waiting_bytes: u64,
}

/// A laggard before its frames are counted.
struct Suspect {
    holder: Holder,
    topics: Arc<[Topic]>,
    next: u64,
    /// Events behind in the log, for one that reads there.
    in_log: Option<u64>,
    untaken: u64,
}

impl Hub {
    /// Looks who listens, and returns the `most` slowest who are behind.
    pub fn audience(&self, most: usize) -> Audience {
        let mut streams: Vec<_> = Carrier::ALL.iter().map(|carrier| (*carrier, 0)).collect();
        let mut behind = Vec::new();
        let (suspects, (first, frames)) = {
            let state = self.lock();
            for (id, slot) in &state.slots {
                if let Some((_, count)) = streams.get_mut(slot.holder.carrier as usize) {
                    *count += 1;
                }
                if slot.pending || slot.untaken > 0 {
                    behind.push((frames_behind(slot, &state.ring), slot.untaken, id));
                }
            }
            behind.sort_unstable_by_key(|one| Reverse(*one));
            let chosen =
                behind.iter().take(most * SUSPECTS).filter_map(|(.., id)| state.slots.get(*id));
            let suspects: Vec<_> = chosen.map(|slot| Suspect::new(slot, &state.ring)).collect();
            let first = suspects.iter().map(|one| one.next).min().unwrap_or(state.ring.end());
            (suspects, state.ring.since(first))
        };
        // Outside the lock: nobody waits while an operator counts.
        let counted = suspects.into_iter().map(|one| one.counted(first, &frames));
        let mut slowest: Vec<_> = counted.collect();
        slowest.sort_by_key(|one| Reverse((one.lag_events, one.waiting_bytes)));
        slowest.truncate(most);
        Audience { streams, slowest }
    }

    /// Writes down which subscriber was cut since it was too slow, by ids: nobody sees it among the
    /// open ones any more.
    pub(super) fn log_laggard(&self, id: SlotId) {
        let (suspect, (first, frames)) = {
            let mut state = self.lock();
            let Some((slot, ring)) = state.slot(id) else { return };
            let suspect = Suspect::new(slot, ring);
            let frames = ring.since(suspect.next);
            (suspect, frames)
        };
        let Laggard { holder, lag_events, waiting_bytes } = suspect.counted(first, &frames);
        tracing::info!(
            person.id = holder.person.map(tracing::field::display),
            session.id = holder.session,
            kind = holder.carrier.word(),
            device = holder.device.word(),
            since = %holder.since,
            lag_events,
            waiting_bytes,
            "a stream was cut: its reader takes too little"
        );
    }
}

impl Suspect {
    fn new(slot: &Slot, ring: &Ring) -> Suspect {
        Suspect {
            holder: slot.holder.clone(),
            topics: slot.topics.clone(),
            next: if slot.pending { slot.next } else { ring.end() },
            in_log: slot.behind.then(|| frames_behind(slot, ring)),
            untaken: slot.untaken as u64,
        }
    }

    /// Counts what the ring, from place `first` on, has for this one.
    fn counted(self, first: u64, frames: &[Arc<Frame>]) -> Laggard {
        let skip = usize::try_from(self.next.saturating_sub(first)).unwrap_or(usize::MAX);
        let heard = frames.iter().skip(skip).filter(|frame| frame.heard_by(&self.topics));
        let (count, bytes) =
            heard.fold((0, 0), |(n, bytes), frame| (n + 1, bytes + frame.sse().len() as u64));
        Laggard {
            holder: self.holder,
            lag_events: self.in_log.unwrap_or(count + first.saturating_sub(self.next)),
            waiting_bytes: self.untaken + bytes,
        }
    }
}

/// Returns how far a subscriber is behind: in events where it reads the log, in frames where the
/// ring still has them.
fn frames_behind(slot: &Slot, ring: &Ring) -> u64 {
    match (slot.behind, slot.pending) {
        (true, _) => ring.head().saturating_sub(slot.seq).unsigned_abs(),
        (false, true) => ring.end() - slot.next,
        (false, false) => 0,
    }
}
