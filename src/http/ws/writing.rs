//! What a WebSocket is sent. Frames are brought by couriers while it rests; all else its own task
//! writes, when it has its turn.

use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

use super::encode;
use super::session::{End, READ_MAX, Session};
use crate::event::wire::{Frame, Text};
use crate::http::line::{Line, messages};
use crate::http::outlet::{FAIR_SHARE, retry_ms};
use crate::http::pace;
use crate::live::hub::SHUTDOWN;
use crate::live::metrics::Ending;

/// How long the client's own close is waited for after ours.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

impl Session {
    /// Says what the stream holds, as an event stream's first frame does.
    pub(super) async fn greet(&mut self, line: &Line) -> Result<(), End> {
        let topics: Vec<_> = self.topics.keys().copied().collect();
        let (cursor, now) = (self.feed.cursor(), self.app.clock.now());
        let greeting = self.dialect.greeting(&topics, &cursor, self.opening, now);
        self.write(line, &bytes_of(greeting.iter())).await
    }

    /// Says that snapshots must be read again.
    pub(super) async fn say_resync(
        &mut self,
        line: &Line,
        reason: &'static str,
    ) -> Result<(), End> {
        let resync = self.dialect.resync(&self.feed.cursor(), reason, self.app.clock.now());
        self.write(line, &bytes_of(resync.iter())).await
    }

    /// Writes frames, each as a message, of which so many bytes are written.
    pub(super) async fn write_frames(
        &mut self,
        line: &Line,
        frames: &[Arc<Frame>],
        written: usize,
    ) -> Result<(), End> {
        let bytes = bytes_of(messages(self.dialect, frames));
        self.write_all(line, bytes.get(written..).unwrap_or_default()).await
    }

    /// Writes `bytes` as soon as it is this task's turn.
    pub(super) async fn write(&mut self, line: &Line, bytes: &[u8]) -> Result<(), End> {
        self.take_turn(line).await?;
        self.write_all(line, bytes).await
    }

    /// Waits until no courier writes here, and finishes what one has begun.
    pub(super) async fn take_turn(&mut self, line: &Line) -> Result<(), End> {
        match self.feed.take_turn().await {
            Some(left) => self.write_frames(line, &left.frames, left.written).await,
            None => Ok(()),
        }
    }

    /// Writes all of `bytes`; a client that takes too little for too long is gone, and so is one
    /// whose rights end meanwhile.
    async fn write_all(&mut self, line: &Line, bytes: &[u8]) -> Result<(), End> {
        let sent = match line.write(std::iter::once(bytes)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            sent => sent.map_err(|error| self.lost(&error))?,
        };
        match bytes.get(sent..) {
            None | Some([]) => Ok(()),
            Some(rest) => Box::pin(self.write_slowly(line, rest)).await,
        }
    }

    async fn write_slowly(&mut self, line: &Line, bytes: &[u8]) -> Result<(), End> {
        let stall = self.seat.streams().stall;
        let feed = &mut self.feed;
        let ended = std::future::poll_fn(move |cx| match feed.ended(cx, bytes.len()) {
            Some(reason) if reason != SHUTDOWN => Poll::Ready(reason),
            _ => Poll::Pending,
        });
        let written = tokio::select! {
            biased;
            written = pace::write_all(&line.socket, bytes, stall, FAIR_SHARE) => Ok(written),
            reason = ended => Err(Ending::of(reason)),
        };
        match written {
            Ok(written) => written.map_err(|error| self.lost(&error)),
            Err(ending) => {
                self.feed.ended_by(ending);
                Err(End::Gone)
            }
        }
    }

    /// Says why it ends, and when to come back. Whose rights have ended is not waited for.
    pub(super) async fn last_words(&mut self, line: &Line, reason: &'static str) -> End {
        let bye = self.dialect.goodbye(reason, retry_ms(reason), self.app.clock.now());
        let bye = bye.map(|text| encode::message(text.json_bytes())).unwrap_or_default();
        match pace::write_all(&line.socket, &bye, CLOSE_WAIT, bye.len()).await {
            Ok(()) => End::Close(Some(1001), reason),
            Err(_) => End::Gone,
        }
    }

    /// Says why it ends, and reads until the client has closed too, so that our last frame is not
    /// lost with a reset.
    pub(super) async fn say_goodbye(&mut self, line: &Line, code: Option<u16>, reason: &str) {
        let goodbye = encode::close(code, reason);
        if !matches!(timeout(CLOSE_WAIT, self.take_turn(line)).await, Ok(Ok(()))) {
            return;
        }
        if pace::write_all(&line.socket, &goodbye, CLOSE_WAIT, goodbye.len()).await.is_err() {
            return;
        }
        let _ = line.finish();
        let _ = timeout(CLOSE_WAIT, async {
            let mut bytes = [0; READ_MAX];
            while let Ok(1..) = line.read(&mut bytes).await {}
        })
        .await;
    }
}

/// Returns these as messages, one after the other.
fn bytes_of<'a>(texts: impl Iterator<Item = &'a Text>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in texts {
        let json = text.json_bytes();
        bytes.extend_from_slice(encode::text_head(json.len()).as_ref());
        bytes.extend_from_slice(json);
    }
    bytes
}
