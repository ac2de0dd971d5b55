//! What the hub keeps of one subscriber: how far it has come, and who sees to it.

use std::mem;
use std::sync::Arc;
use std::task::Waker;

use super::courier::{Left, Sink};
use super::feed::BATCH_MAX;
use super::hub::Holder;
use super::pulse::Pulse;
use super::ring::Ring;
use crate::event::Topic;
use crate::event::wire::Frame;

/// A subscriber's number. Numbers are small and are given again: who holds one of somebody that
/// has gone must look whose it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SlotId(u32);

impl SlotId {
    /// Returns the number of the place `key`. No process has more sockets than there are numbers.
    pub(super) fn of(key: usize) -> SlotId {
        SlotId(u32::try_from(key).unwrap_or(u32::MAX))
    }

    /// Returns the place.
    pub(super) fn key(self) -> usize {
        self.0 as usize
    }
}

/// One subscriber.
pub(super) struct Slot {
    pub(super) topics: Arc<[Topic]>,
    pub(super) holder: Holder,
    /// Everything up to here was handed out or does not concern the subscriber.
    pub(super) seq: i64,
    /// The place of the first frame that may still concern it, unless it is behind.
    pub(super) next: u64,
    /// Whether the ring no longer holds what comes next, and it reads the log.
    pub(super) behind: bool,
    /// Whether anything is there to be looked at.
    pub(super) pending: bool,
    /// Whether the frame at `next` is known to be one that it hears.
    pub(super) sure: bool,
    /// Whether a sign of life is due.
    pub(super) beat: bool,
    pub(super) waker: Option<Waker>,
    pub(super) ended: Option<&'static str>,
    /// Bytes that it was handed and has not taken.
    pub(super) untaken: usize,
    /// Where the courier may put its frames while it rests.
    pub(super) sink: Option<Arc<dyn Sink>>,
    /// What the subscriber and the courier do with the sink at this moment.
    pub(super) turn: Turn,
    /// Whether its own task waits until the courier has gone.
    pub(super) asked: bool,
    /// What the sink did not take of what the courier brought.
    pub(super) left: Option<Box<Left>>,
}

/// Who may put something in a subscriber's sink: never both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Its own task does, or will as soon as it is woken.
    Own,
    /// Nobody does; the task waits, and the courier may.
    Rests,
    /// The courier does.
    Courier,
}

impl Slot {
    /// Returns a subscriber that knows everything in `ring`.
    pub(super) fn new(topics: Arc<[Topic]>, holder: Holder, ring: &Ring) -> Slot {
        Slot {
            topics,
            holder,
            seq: ring.head(),
            next: ring.end(),
            behind: false,
            pending: false,
            sure: false,
            beat: false,
            waker: None,
            ended: None,
            untaken: 0,
            sink: None,
            turn: Turn::Own,
            asked: false,
            left: None,
        }
    }

    /// Arranges that `waker` is woken when there is something to be looked at.
    pub(super) fn wake_by(&mut self, waker: &Waker) {
        if self.waker.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
    }

    /// Says whether this is the sink of this subscriber.
    pub(super) fn writes_to(&self, sink: &Arc<dyn Sink>) -> bool {
        self.sink.as_ref().is_some_and(|own| Arc::ptr_eq(own, sink))
    }

    /// Says whether there is something that only its own task can say or find out.
    pub(super) fn needs_its_task(&self) -> bool {
        self.left.is_some() || self.ended.is_some() || self.behind || self.asked
    }

    /// Says whether there is something to be brought.
    pub(super) fn is_due(&self) -> bool {
        self.pending || self.beat
    }

    /// Notes that the frame at `place`, which it hears, is the first that waits.
    pub(super) fn begin_at(&mut self, place: u64) {
        self.pending = true;
        self.sure = true;
        self.next = place;
    }

    /// Leaves everything to its own task, which is to be woken.
    pub(super) fn wake(&mut self) -> Option<Waker> {
        self.turn = Turn::Own;
        self.asked = false;
        self.waker.take()
    }

    /// Goes on after `seq`: in the ring, if that still holds what comes next, else in the log.
    pub(super) fn go_on_after(&mut self, seq: i64, ring: &Ring) {
        let place = ring.place_after(seq);
        self.seq = seq;
        self.behind = place.is_none();
        self.pending = place.is_none_or(|place| place < ring.end());
        self.next = place.unwrap_or(self.next);
        self.sure = false;
    }

    /// Takes the next frames off the ring that the subscriber hears, not more than [`BATCH_MAX`],
    /// and puts them after those in `frames`; a sign of life that is due follows the last.
    pub(super) fn take(&mut self, ring: &Ring, pulse: &mut Pulse, frames: &mut Vec<Arc<Frame>>) {
        self.take_news(ring, frames);
        if self.beat && !self.pending {
            self.beat = false;
            // All that is not for this reader is behind it, too.
            self.seq = self.seq.max(ring.head());
            frames.push(pulse.frame(self.seq));
        }
    }

    fn take_news(&mut self, ring: &Ring, frames: &mut Vec<Arc<Frame>>) {
        let most = frames.len() + BATCH_MAX;
        while self.next < ring.end() && frames.len() < most {
            let Some(frame) = ring.get(self.next) else {
                self.behind = true;
                break;
            };
            self.next += 1;
            let sure = mem::take(&mut self.sure);
            let known = frame.seq.is_some_and(|seq| seq <= self.seq);
            if known || ring.is_outdated(self.next - 1, frame) {
                continue;
            }
            self.seq = frame.seq.unwrap_or(self.seq);
            if sure || frame.heard_by(&self.topics) {
                frames.push(frame.clone());
            }
        }
        self.pending = self.behind || self.next < ring.end();
    }
}
