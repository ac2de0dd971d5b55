//! Couriers: threads that bring frames to all streams that rest.
//!
//! Most of what is sent goes to readers who have taken everything so far. For those a courier
//! puts the frame in the socket itself, one after the other; their tasks are not woken, which
//! would cost as much again as all else that is ours of a delivery. A stream that has something
//! else to say, is behind, has ended, or does not take all of it, is left to its own task.

use std::mem;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::task::Waker;
use std::thread;

use super::hub::{Hub, State, WeakHub};
use super::slot::{SlotId, Turn};
use crate::base::Result;
use crate::event::wire::Frame;

/// How many couriers there are.
const COURIERS: usize = 2;

/// From how many visits on the second helps: everybody is reached sooner, for a tenth more of the
/// processor. With fewer, one of them, who has all of it in its own cache, is as soon done.
const HELPS_FROM: usize = 512;

/// How many streams are visited between two looks at the hub, which are taken under its lock.
const ROUND: usize = 64;

/// Where frames go that are written without waiting.
pub trait Sink: Send + Sync {
    /// Puts the text of `frames` where its reader finds it, as much of it as there is room for.
    fn try_send(&self, frames: &[Arc<Frame>]) -> Sent;
}

/// What became of frames that were put in a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    All,
    /// So many bytes, from the first on; none when the sink is full or broken.
    Part(usize),
}

/// Frames of which a sink has taken only some bytes.
#[derive(Debug)]
pub struct Left {
    pub frames: Vec<Arc<Frame>>,
    pub written: usize,
}

/// Returns how many couriers are called when so many streams are to be visited.
pub(super) fn couriers_for(due: usize) -> usize {
    if due >= HELPS_FROM { COURIERS } else { due.min(1) }
}

/// Starts the couriers of `hub`, which end with it.
pub fn spawn(hub: &Hub) -> Result<Vec<thread::JoinHandle<()>>> {
    // One ring of a bell is as good as many: a courier then visits whoever is due.
    let (bells, rings): (Vec<_>, Vec<_>) = (0..COURIERS).map(|_| mpsc::sync_channel(1)).unzip();
    let hub = hub.takes_on(bells);
    let start = |rings| {
        let hub = hub.clone();
        thread::Builder::new().name("courier".into()).spawn(move || {
            // Streams that fall silent while all else goes on would be worse than a new start.
            if catch_unwind(AssertUnwindSafe(|| work(&hub, &rings))).is_err() {
                tracing::error!("a courier of streams has panicked: the process ends");
                std::process::abort();
            }
        })
    };
    Ok(rings.into_iter().map(start).collect::<Result<_, _>>().map_err(anyhow::Error::from)?)
}

fn work(hub: &WeakHub, rings: &Receiver<()>) {
    let mut round = Round::default();
    while rings.recv().is_ok() {
        let Some(hub) = hub.upgrade() else { return };
        while round.plan(&hub) {
            round.visit();
        }
    }
}

/// Some streams that are visited together.
#[derive(Default)]
struct Round {
    errands: Vec<Errand>,
    /// The frames of all errands, one errand's after the other's.
    frames: Vec<Arc<Frame>>,
}

/// What is brought to one stream.
struct Errand {
    slot: SlotId,
    sink: Arc<dyn Sink>,
    /// Which of the round's frames.
    frames: Range<usize>,
    sent: Sent,
}

impl Round {
    /// Notes what became of the last round, and takes the next from those who are due. Says
    /// whether there is somebody to be visited.
    fn plan(&mut self, hub: &Hub) -> bool {
        let mut wakers = Vec::new();
        hub.metrics().delivered(&self.frames);
        // Kept until the lock is free: a sink whose stream has gone meanwhile is closed with it.
        let _done = {
            let state = &mut *hub.lock();
            let done = self.settle(state, &mut wakers);
            while self.errands.len() < ROUND
                && let Some(id) = state.due.pop_front()
            {
                self.take(state, id, &mut wakers);
            }
            done
        };
        wakers.into_iter().for_each(Waker::wake);
        !self.errands.is_empty()
    }

    /// Notes who took everything, and leaves the others to their own tasks. Returns what is done.
    fn settle(&mut self, state: &mut State, wakers: &mut Vec<Waker>) -> Vec<Errand> {
        let done = mem::replace(&mut self.errands, Vec::with_capacity(ROUND));
        for Errand { slot: id, sink, frames, sent } in &done {
            // One that has gone meanwhile took what it wanted, and another may be in its place.
            let Some(slot) = state.slots.get_mut(id.key()).filter(|slot| slot.writes_to(sink))
            else {
                continue;
            };
            slot.turn = Turn::Rests;
            if let Sent::Part(written) = *sent {
                let frames = self.frames.get(frames.clone()).unwrap_or_default().to_vec();
                slot.left = Some(Box::new(Left { frames, written }));
            }
            if slot.needs_its_task() {
                wakers.extend(slot.wake());
            } else if slot.is_due() {
                state.due.push_back(*id);
            }
        }
        self.frames.clear();
        done
    }

    /// Takes on what waits for a stream that rests. Any other has been woken and comes for it, or
    /// is looked at again by the courier who is there.
    fn take(&mut self, state: &mut State, id: SlotId, wakers: &mut Vec<Waker>) {
        let Some(slot) = state.slots.get_mut(id.key()) else { return };
        if slot.turn != Turn::Rests || !slot.is_due() {
            return;
        }
        let first = self.frames.len();
        if !slot.needs_its_task() {
            slot.take(&state.ring, &mut state.pulse, &mut self.frames);
        }
        let frames = first..self.frames.len();
        if let Some(sink) = slot.sink.as_ref().filter(|_| !frames.is_empty()) {
            slot.turn = Turn::Courier;
            self.errands.push(Errand { slot: id, sink: sink.clone(), frames, sent: Sent::All });
        } else if slot.needs_its_task() {
            wakers.extend(slot.wake());
        }
    }

    fn visit(&mut self) {
        for errand in &mut self.errands {
            let frames = self.frames.get(errand.frames.clone()).unwrap_or_default();
            errand.sent = errand.sink.try_send(frames);
        }
    }
}
