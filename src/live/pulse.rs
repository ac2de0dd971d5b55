//! The pulse: the sign of life of the moment, encoded once for all whose turn it is.

use std::sync::Arc;

use crate::base::Timestamp;
use crate::event::Cursor;
use crate::event::wire::Frame;

/// The newest sign of life, and what the next is made of.
pub(super) struct Pulse {
    epoch: Arc<str>,
    /// When it last beat.
    at: Timestamp,
    /// Up to where the newest one says that its readers have everything.
    newest: Option<(i64, Arc<Frame>)>,
}

impl Pulse {
    /// Returns a pulse for the log of `epoch`.
    pub(super) fn new(epoch: Arc<str>) -> Pulse {
        Pulse { epoch, at: Timestamp(0), newest: None }
    }

    /// Beats at `now`.
    pub(super) fn renew(&mut self, now: Timestamp) {
        (self.at, self.newest) = (now, None);
    }

    /// Returns a sign of life for a reader that has everything up to `seq`.
    pub(super) fn frame(&mut self, seq: i64) -> Arc<Frame> {
        if let Some((known, frame)) = &self.newest
            && *known == seq
        {
            return frame.clone();
        }
        let cursor = Cursor { epoch: self.epoch.clone(), seq };
        let frame = Arc::new(Frame::of_rest(cursor, self.at));
        self.newest = Some((seq, frame.clone()));
        frame
    }
}
