//! Topics that come and go while a WebSocket is open. The client's place in the stream stays.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::command::{Command, Op, Refusal};
use super::session::{End, Session};
use crate::base::Error;
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
                let rest = self.topics.difference(&named).copied().collect();
                Ok(self.reopen(line, rest).await?.map(|()| "unsubscribed"))
            }
        }
    }

    /// Adds topics. What happened on the new ones after `after` comes first; then all of them go
    /// on together from where the client stands.
    async fn subscribe(
        &mut self,
        line: &Arc<Line>,
        named: BTreeSet<Topic>,
        after: Option<&str>,
    ) -> Result<Result<(), Refusal>, End> {
        let fresh: Vec<_> = named.difference(&self.topics).copied().collect();
        if self.topics.len() + fresh.len() > TOPICS_MAX {
            return Ok(Err(Refused::TooMany.into()));
        }
        if let (Some(after), false) = (after, fresh.is_empty()) {
            let start = Cursor::parse(after).map_or(Start::Garbage, Start::After);
            let (app, principal, holder) = (&self.app, &self.principal, &self.holder);
            let opened = opening::open(app, principal, holder, Some(&fresh), &start).await;
            let opened = match self.opened(opened)? {
                Ok(opened) => opened,
                Err(refusal) => return Ok(Err(refusal)),
            };
            match opened.opening {
                Opening::Whole => self.catch_up(line, opened.feed).await?,
                Opening::Resync(reason) => self.say_resync(line, reason).await?,
            }
        }
        let all = self.topics.union(&named).copied().collect();
        self.reopen(line, all).await
    }

    /// Passes on what new topics had until the position that the client has reached, but for what
    /// it heard on its other topics.
    async fn catch_up(&mut self, line: &Arc<Line>, mut feed: Feed) -> Result<(), End> {
        let here = self.feed.cursor().seq;
        let heard: Vec<_> = self.topics.iter().copied().collect();
        while feed.rest().seq < here {
            let Ok(Next::Frames(frames)) = feed.next().await else {
                self.feed.ended_by(Ending::Failed);
                return Err(End::Close(Some(1011), "try again"));
            };
            let missed: Vec<_> = frames
                .into_iter()
                .filter(|frame| frame.seq.is_some_and(|seq| seq <= here))
                .filter(|frame| !frame.heard_by(&heard))
                .collect();
            self.write_frames(line, &missed, 0).await?;
        }
        Ok(())
    }

    /// Goes on with these topics from where the client stands.
    async fn reopen(
        &mut self,
        line: &Arc<Line>,
        topics: BTreeSet<Topic>,
    ) -> Result<Result<(), Refusal>, End> {
        let (app, principal, holder) = (&self.app, &self.principal, &self.holder);
        let here = self.feed.cursor();
        let list: Vec<_> = topics.iter().copied().collect();
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
                tracing::warn!(%error, "a subscription could not be changed");
                self.feed.ended_by(Ending::Failed);
                Err(End::Close(Some(1011), "try again"))
            }
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Refusal {
        Refusal::new(refused.code(), refused.words())
    }
}
