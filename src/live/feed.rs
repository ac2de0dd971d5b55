//! A feed: what a subscriber missed, then what happens, without gap or repeat.
//!
//! A feed is a cursor. What it gives is a function of its cursor and topics
//! alone; how fast its reader is decides only when.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::courier::{Left, Sink};
use super::hub::{Holder, Hub, SHUTDOWN, State};
use super::metrics::{Ending, Metrics};
use super::replay::Replay;
use super::ring::Ring;
use super::shelf::Page;
use super::slot::{Slot, SlotId, Turn};
use crate::base::Result;
use crate::event::wire::Frame;
use crate::event::{Cursor, Topic};

/// How many events a returning reader is given from the log; one that is
/// further behind reads its snapshots again, which is less work for both.
const REPLAY_MAX: i64 = 100_000;

/// How many frames are handed out at once: what one write to a socket takes, and all that a
/// reader that has stopped reading keeps from being forgotten.
pub const BATCH_MAX: usize = 64;

/// A subscriber's place in the stream of events.
pub struct Feed {
    hub: Hub,
    replay: Replay,
    slot: SlotId,
    /// A page on its way from the log, while the reader is behind the ring.
    page: Option<Pin<Box<dyn Future<Output = Result<Page>> + Send>>>,
    /// How much of the frames that were given last is in the reader's sink.
    begun: usize,
}

/// Where a subscriber starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At the present.
    Now,
    /// After the event that it saw last.
    After(Cursor),
    /// After an event that is too old to be told again.
    TooOld,
    /// It named something that is not a cursor.
    Garbage,
}

/// How a feed begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Whole: nothing is missing after the start that was asked for.
    Whole,
    /// The start is unknown here: snapshots must be read again.
    Resync(&'static str),
}

/// What a feed has next.
pub enum Next {
    /// Frames in commit order, at least one; the last may be a sign of life.
    Frames(Vec<Arc<Frame>>),
    /// The feed has ended, and why; the reader may come back.
    Ended(&'static str),
}

impl Feed {
    /// Opens a feed of `topics`. It takes its place first and reads the log
    /// second, so that no event can fall between the two.
    pub async fn open(
        hub: &Hub,
        replay: &Replay,
        mut topics: Vec<Topic>,
        holder: Holder,
        start: Start,
    ) -> Result<(Feed, Opening)> {
        topics.sort_unstable();
        topics.dedup();
        let (slot, head) = hub.subscribe(topics, holder);
        let mut feed =
            Feed { hub: hub.clone(), replay: replay.clone(), slot, page: None, begun: 0 };
        let opening = feed.rewind(start, head).await?;
        if opening != Opening::Whole {
            Metrics::count(&hub.metrics().resyncs);
        }
        Ok((feed, opening))
    }

    /// Counts that the server has ended the feed, and why.
    pub fn ended_by(&self, ending: Ending) {
        self.hub.metrics().ended(ending);
        if ending == Ending::Stalled {
            self.hub.log_laggard(self.slot);
        }
    }

    /// Lets the courier put frames in `sink` whenever the reader waits for the next ones and has
    /// nothing else to put there.
    pub fn rest_in(&self, sink: Arc<dyn Sink>) {
        if let Some((slot, _)) = self.hub.lock().slot(self.slot) {
            slot.sink = Some(sink);
        }
    }

    /// Waits until no courier is at the sink, where none comes before the next frames are asked
    /// for: for a reader that has something of its own to put there. Returns what a courier has
    /// begun to bring, which comes first.
    pub async fn take_turn(&mut self) -> Option<Box<Left>> {
        std::future::poll_fn(|cx| {
            let mut state = self.hub.lock();
            let Some((slot, _)) = state.slot(self.slot) else { return Poll::Ready(None) };
            if slot.turn == Turn::Courier {
                slot.asked = true;
                slot.wake_by(cx.waker());
                return Poll::Pending;
            }
            slot.turn = Turn::Own;
            Poll::Ready(slot.left.take())
        })
        .await
    }

    /// Returns the position up to which the reader has been served.
    pub fn cursor(&self) -> Cursor {
        self.cursor_of(|slot, _| slot.seq)
    }

    /// Returns the position that a heartbeat may tell: that of the newest event
    /// when nothing waits for the reader, else what it was served.
    pub fn rest(&mut self) -> Cursor {
        self.cursor_of(|slot, ring| {
            if !slot.behind && !slot.pending {
                slot.seq = slot.seq.max(ring.head());
            }
            slot.seq
        })
    }

    fn cursor_of(&self, seq: impl FnOnce(&mut Slot, &Ring) -> i64) -> Cursor {
        // A feed has its slot for as long as it lives.
        let seq = self.hub.lock().slot(self.slot).map_or(0, |(slot, ring)| seq(slot, ring));
        Cursor { epoch: self.hub.epoch().clone(), seq }
    }

    /// Waits for the next frames.
    pub async fn next(&mut self) -> Result<Next> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Gives the next frames, or arranges to be woken when there are some.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Next>> {
        loop {
            match self.step(cx) {
                Step::Give(frames) => {
                    self.hub.metrics().delivered(&frames);
                    return Poll::Ready(Ok(Next::Frames(frames)));
                }
                Step::Finish(left) => {
                    self.begun = left.written;
                    return Poll::Ready(Ok(Next::Frames(left.frames)));
                }
                Step::End(reason) => return Poll::Ready(Ok(Next::Ended(reason))),
                Step::Fail(error) => return Poll::Ready(Err(error)),
                Step::Wait => return Poll::Pending,
                Step::Again => (),
            }
        }
    }

    /// Returns how many bytes of the frames that were given last are in the reader's sink already:
    /// the courier could not bring all of them. None for a reader without a sink.
    pub fn begun(&mut self) -> usize {
        std::mem::take(&mut self.begun)
    }

    /// Says why the feed has ended, if it has; else arranges to be woken when it does. For a
    /// reader that cannot take the next frames yet: `untaken` bytes wait for it outside.
    pub fn ended(&mut self, cx: &Context<'_>, untaken: usize) -> Option<&'static str> {
        let mut state = self.hub.lock();
        let Some((slot, _)) = state.slot(self.slot) else { return Some("closed") };
        slot.waker = Some(cx.waker().clone());
        slot.untaken = untaken;
        slot.ended
    }

    async fn rewind(&mut self, start: Start, head: i64) -> Result<Opening> {
        let after = match start {
            Start::Now => return Ok(Opening::Whole),
            Start::Garbage => return Ok(Opening::Resync("not_a_cursor")),
            Start::TooOld => return Ok(Opening::Resync("too_old")),
            Start::After(cursor) if cursor.epoch != *self.hub.epoch() => {
                return Ok(Opening::Resync("other_epoch"));
            }
            Start::After(cursor) => cursor.seq,
        };
        let mut head = head;
        if after > head {
            // A snapshot may have been read after its commit, before its publishing.
            head = self.replay.bounds().await?.1;
        }
        if after > head {
            return Ok(Opening::Resync("in_the_future"));
        }
        if head - after > REPLAY_MAX {
            return Ok(Opening::Resync("too_old"));
        }
        if self.hub.lock().ring.place_after(after).is_none()
            && after < self.replay.bounds().await?.0
        {
            return Ok(Opening::Resync("too_old"));
        }
        self.go_on_after(after);
        Ok(Opening::Whole)
    }

    /// Goes on after `seq`, and says whether in the ring; else in the log.
    fn go_on_after(&self, seq: i64) -> bool {
        let mut state = self.hub.lock();
        let Some((slot, ring)) = state.slot(self.slot) else { return true };
        slot.go_on_after(seq, ring);
        !slot.behind
    }

    fn step(&mut self, cx: &mut Context<'_>) -> Step {
        let mut state = self.hub.lock();
        let State { slots, ring, pulse, .. } = &mut *state;
        let Some(slot) = slots.get_mut(self.slot.key()) else { return Step::End("closed") };
        if slot.turn == Turn::Courier {
            slot.wake_by(cx.waker());
            return Step::Wait;
        }
        slot.turn = Turn::Own;
        slot.untaken = 0;
        if let Some(left) = slot.left.take() {
            return Step::Finish(left);
        }
        // A server that stops says first what it still has to say; rights that ended, ended.
        let last_words = slot.ended == Some(SHUTDOWN) && slot.pending && !slot.behind;
        if let Some(reason) = slot.ended
            && !last_words
        {
            return Step::End(reason);
        }
        if slot.behind {
            // So that a cut reaches a reader that waits for the disk.
            slot.wake_by(cx.waker());
            let (topics, seq) = (slot.topics.clone(), slot.seq);
            drop(state);
            return self.step_in_log(cx, &topics, seq);
        }
        if !slot.is_due() {
            slot.wake_by(cx.waker());
            if slot.sink.is_some() {
                slot.turn = Turn::Rests;
            }
            return Step::Wait;
        }
        let mut frames = Vec::new();
        slot.take(ring, pulse, &mut frames);
        if frames.is_empty() { Step::Again } else { Step::Give(frames) }
    }

    fn step_in_log(&mut self, cx: &mut Context<'_>, topics: &[Topic], seq: i64) -> Step {
        let page = self.page.get_or_insert_with(|| {
            let replay = self.replay.clone();
            Box::pin(async move { replay.page_after(seq).await })
        });
        let page = match page.as_mut().poll(cx) {
            Poll::Pending => return Step::Wait,
            Poll::Ready(page) => page,
        };
        self.page = None;
        let page = match page {
            Ok(page) => page,
            Err(error) => return Step::Fail(error),
        };
        let fresh: Vec<_> =
            page.iter().filter(|frame| frame.seq.is_some_and(|at| at > seq)).collect();
        let in_ring = self.go_on_after(fresh.last().and_then(|frame| frame.seq).unwrap_or(seq));
        if !in_ring && fresh.is_empty() {
            // Neither in the log nor in the ring: pruned while the reader was away.
            return Step::End("too_old");
        }
        let frames: Vec<_> =
            fresh.into_iter().filter(|frame| frame.heard_by(topics)).cloned().collect();
        self.hub.metrics().replayed.fetch_add(frames.len() as u64, Ordering::Relaxed);
        if frames.is_empty() { Step::Again } else { Step::Give(frames) }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.hub.unsubscribe(self.slot);
    }
}

enum Step {
    Give(Vec<Arc<Frame>>),
    Finish(Box<Left>),
    End(&'static str),
    Fail(crate::base::Error),
    Wait,
    Again,
}
