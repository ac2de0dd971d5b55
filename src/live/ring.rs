//! The ring: the newest frames in commit order, shared by all subscribers.
//!
//! A *place* counts every frame that ever passed, signals too, since a signal
//! has no position in the log. A subscriber that is behind the ring's first
//! place pages from the log instead.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::event::wire::Frame;

/// How many frames the ring holds at the most: some seconds of the busiest house.
const FRAMES_MAX: usize = 8192;

/// How many bytes of frames the ring holds at the most. Their other words ([`Frame::alias`]), where
/// somebody listens for them, come to about as much again.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// The newest frames.
#[derive(Debug)]
pub(super) struct Ring {
    frames: VecDeque<Arc<Frame>>,
    /// The place of the first frame that is still held.
    first: u64,
    bytes: usize,
    /// The place of the newest value of each figure.
    newest: HashMap<u64, u64>,
    /// The newest event's position in the log.
    head: i64,
    /// The position before the first event that is still held.
    floor: i64,
}

impl Ring {
    pub(super) fn new(head: i64) -> Ring {
        let (frames, newest) = (VecDeque::new(), HashMap::new());
        Ring { frames, first: 0, bytes: 0, newest, head, floor: head }
    }

    /// Appends `frame` and returns its place.
    pub(super) fn push(&mut self, frame: Arc<Frame>) -> u64 {
        let place = self.end();
        self.bytes += frame.size;
        self.head = frame.seq.unwrap_or(self.head);
        if let Some(figure) = frame.figure {
            self.newest.insert(figure, place);
        }
        self.frames.push_back(frame);
        while self.frames.len() > FRAMES_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.frames.pop_front() else { break };
            self.bytes -= oldest.size;
            if let Some(figure) = oldest.figure
                && self.newest.get(&figure) == Some(&self.first)
            {
                self.newest.remove(&figure);
            }
            self.first += 1;
            self.floor = oldest.seq.unwrap_or(self.floor);
        }
        place
    }

    /// Forgets all frames: from now on only the log has what came up to `head`.
    pub(super) fn begin_anew_after(&mut self, head: i64) {
        self.first = self.end();
        self.frames.clear();
        self.newest.clear();
        (self.bytes, self.head, self.floor) = (0, head, head);
    }

    /// The place that the next frame will have.
    pub(super) fn end(&self) -> u64 {
        self.first + self.frames.len() as u64
    }

    pub(super) fn head(&self) -> i64 {
        self.head
    }

    /// The frame at `place`; none when it has left the ring or is still to come.
    pub(super) fn get(&self, place: u64) -> Option<&Arc<Frame>> {
        self.frames.get(usize::try_from(place.checked_sub(self.first)?).ok()?)
    }

    /// Says whether the frame at `place` is an old value of a figure of which the ring has a newer.
    pub(super) fn is_outdated(&self, place: u64, frame: &Frame) -> bool {
        frame.figure.is_some_and(|figure| self.newest.get(&figure) != Some(&place))
    }

    /// The frames from `place` on, and the place of the first of them.
    pub(super) fn since(&self, place: u64) -> (u64, Vec<Arc<Frame>>) {
        let skip = usize::try_from(place.saturating_sub(self.first)).unwrap_or(usize::MAX);
        (place.max(self.first), self.frames.iter().skip(skip).cloned().collect())
    }

    /// The place from which a reader that knows everything up to `seq` goes on;
    /// none when the ring no longer holds the event after it.
    pub(super) fn place_after(&self, seq: i64) -> Option<u64> {
        if seq < self.floor {
            return None;
        }
        // From the end: nearly everybody is close to it.
        let later = self.frames.iter().rev().take_while(|f| f.seq.is_none_or(|s| s > seq)).count();
        Some(self.end() - later as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::{FRAMES_MAX, Ring};
    use crate::base::Timestamp;
    use crate::event::wire::{Frame, Logged};
    use crate::event::{Signal, Topic};
    use std::sync::Arc;

    fn event(seq: i64) -> Arc<Frame> {
        let logged = Logged {
            seq,
            at: Timestamp(0),
            kind: "a.b".into(),
            topics: Vec::new(),
            subject: None,
            name: None,
            data: "{}".to_owned(),
        };
        Arc::new(Frame::of_event(&"e".into(), logged, None))
    }

    #[test]
    fn of_a_figure_only_the_newest_value_is_not_outdated_and_none_is_kept_for_ever() {
        let mut ring = Ring::new(0);
        let tell = |ring: &mut Ring, kind: &'static str, user: &str| {
            let data = serde_json::json!({ "user_id": user, "n": ring.end() });
            let signal = Signal { kind, topics: vec![Topic::Staff], data };
            ring.push(Arc::new(Frame::of_signal(&signal, Timestamp(0))))
        };
        let told = [("a.b", "1"), ("a.b", "2"), ("a.c", "1"), ("a.b", "1")];
        for (kind, user) in told {
            tell(&mut ring, kind, user);
        }
        let outdated = |place| ring.is_outdated(place, ring.get(place).unwrap());
        assert_eq!([0, 1, 2, 3].map(outdated), [true, false, false, false]);
        for seq in 1..=FRAMES_MAX as i64 {
            ring.push(event(seq));
        }
        assert!(ring.newest.is_empty());
    }

    #[test]
    fn a_reader_goes_on_after_the_event_it_knows_or_must_page() {
        let mut ring = Ring::new(10);
        assert_eq!(ring.place_after(10), Some(0));
        assert_eq!(ring.place_after(9), None);
        for seq in 11..=20 {
            ring.push(event(seq));
        }
        assert_eq!(ring.place_after(10), Some(0));
        assert_eq!(ring.place_after(15), Some(5));
        assert_eq!(ring.place_after(20), Some(10));
        for seq in 21..=(20 + FRAMES_MAX as i64) {
            ring.push(event(seq));
        }
        assert_eq!(ring.place_after(19), None);
        assert_eq!(ring.place_after(20), Some(10));
        assert_eq!(ring.get(10).unwrap().seq, Some(21));
    }
}
