//! Topics that come and go while a WebSocket is open. The client's place in the stream stays.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::command::{Command, Op, Refusal};
use super::session::{End, Session};
use crate::base::Error;
use crate::event::wire::Frame;
use crate::event::{Cursor, Topic};
use crate::http::line::Line;
use crate::http::opening::{self, Opened, Refused, TOPICS_MAX};
use crate::live::Feed;
use crate::live::feed::{Next, Opening, Start};
use crate::live::metrics::Ending;

impl Session {
    /// Does what the client asks for; the answer is the word for what was done, or why not.
    pub(super) async fn do_command(
        &mut self,
        line: &Arc<Line>,
        command: Command,
    ) -> Result<Result<&'static str, Refusal>, End> {
        let named = match opening::wanted(command.topics.iter().map(String::as_str)) {
            Ok(named) => named.into_iter().collect::<BTreeSet<_>>(),
            Err(refused) => return Ok(Err(refused.into())),
        };
        // From here to the answer no courier brings anything: the place in the stream stands.
        self.take_turn(line).await?;
        // What passed on other topics while nothing came is behind the client: a topic without
        // `after` begins now.
        self.feed.rest();
        match command.op {
            Op::Ping => Ok(Ok("pong")),
            Op::Signal => Ok(Err(Refusal::new("signal.unknown", "no such signal"))),
            Op::Subscribe => {
                let after = command.after.as_deref();
                Ok(self.subscribe(line, named, after).await?.map(|()| "subscribed"))
            }
            Op::Unsubscribe => {
                let mut rest = self.topics.clone();
                rest.retain(|topic, _| !named.contains(topic));
                Ok(self.reopen(line, rest).await?.map(|()| "unsubscribed"))
            }
        }
    }

    /// Adds topics. What happened on them after `after` comes first, as far as it was not heard;
    /// then all of them go on together from where the client stands.
    async fn subscribe(
        &mut self,
        line: &Arc<Line>,
        named: BTreeSet<Topic>,
        after: Option<&str>,
    ) -> Result<Result<(), Refusal>, End> {
        let here = self.feed.cursor();
        let mut all = self.topics.clone();
        for topic in &named {
            all.entry(*topic).or_insert(here.seq);
        }
        if all.len() > TOPICS_MAX {
            return Ok(Err(Refused::TooMany.into()));
        }
        let start = after.map(|after| Cursor::parse(after).map_or(Start::Garbage, Start::After));
        let Some(start) = start else { return self.reopen(line, all).await };
        let missed = named.into_iter().filter(|topic| match self.topics.get(topic) {
            Some(since) => goes_back_before(&start, &Cursor { seq: *since, ..here.clone() }),
            None => true,
        });
        let missed: Vec<_> = missed.collect();
        if missed.is_empty() {
            return self.reopen(line, all).await;
        }
        let (app, principal, holder) = (&self.app, &self.principal, &self.holder);
        let opened = opening::open(app, principal, holder, Some(&missed), &start).await;
        let opened = match self.opened(opened)? {
            Ok(opened) => opened,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match opened.opening {
            Opening::Whole => {
                let since = opened.feed.cursor().seq;
                self.catch_up(line, opened.feed, here.seq).await?;
                all.extend(missed.into_iter().map(|topic| (topic, since)));
            }
            Opening::Resync(reason) => self.say_resync(line, reason).await?,
        }
        self.reopen(line, all).await
    }

    /// Passes on what topics had until the position that the client has reached, but for what it
    /// heard on its other topics.
    async fn catch_up(&mut self, line: &Arc<Line>, mut feed: Feed, here: i64) -> Result<(), End> {
        while feed.rest().seq < here {
            let next = poll_fn(|cx| match feed.poll_next(cx) {
                Poll::Ready(next) => Poll::Ready(Some(next)),
                // What there was up to here is for other topics, and nothing is to be waited for.
                Poll::Pending if feed.rest().seq >= here => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            });
            let frames = match next.await {
                Some(Ok(Next::Frames(frames))) => frames,
                None => continue,
                Some(end) => return self.pass_on(line, end).await,
            };
            let missed: Vec<_> = frames
                .into_iter()
                .filter(|frame| frame.seq.is_some_and(|seq| seq <= here && !self.heard(seq, frame)))
                .collect();
            self.write_frames(line, &missed, 0).await?;
        }
        Ok(())
    }

    /// Says whether the client has heard an event of this position.
    fn heard(&self, seq: i64, frame: &Frame) -> bool {
        let since = frame.topics.iter().filter_map(|topic| self.topics.get(topic));
        since.min().is_some_and(|since| *since < seq)
    }

    /// Goes on with these topics from where the client stands.
    async fn reopen(
        &mut self,
        line: &Arc<Line>,
        topics: BTreeMap<Topic, i64>,
    ) -> Result<Result<(), Refusal>, End> {
        let (app, principal, holder) = (&self.app, &self.principal, &self.holder);
        let here = self.feed.cursor();
        let list: Vec<_> = topics.keys().copied().collect();
        let opened = opening::go_on(app, principal, holder, &list, here).await;
        let opened = match self.opened(opened)? {
            Ok(opened) => opened,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.feed = opened.feed;
        self.feed.rest_in(line.clone());
        self.topics = topics;
        Ok(Ok(()))
    }

    /// Says what an opening came to.
    fn opened(
        &self,
        opened: crate::base::Result<Result<Opened, Refused>>,
    ) -> Result<Result<Opened, Refusal>, End> {
        match opened {
            Ok(opened) => Ok(opened.map_err(Refusal::from)),
            Err(Error::SignedOut) => {
                self.feed.ended_by(Ending::Rights);
                Err(End::Close(Some(1008), "session_ended"))
            }
            Err(error) => {
                tracing::warn!(error = error.chain(), "a subscription could not be changed");
                self.feed.ended_by(Ending::Failed);
                Err(End::Close(Some(1011), "try again"))
            }
        }
    }
}

/// Says whether a start lies before a position, or where nobody can say.
fn goes_back_before(start: &Start, position: &Cursor) -> bool {
    match start {
        Start::After(cursor) => cursor.epoch != position.epoch || cursor.seq < position.seq,
        Start::Now => false,
        Start::TooOld | Start::Garbage => true,
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Refusal {
        Refusal::new(refused.code(), refused.words())
    }
}
