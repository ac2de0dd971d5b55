//! Topics that come and go while a WebSocket is open. The client's place in the stream stays.

use std::collections::BTreeSet;

use super::command::{Command, Op, Refusal};
use super::session::{End, Session};
use crate::base::Error;
use crate::event::{Cursor, Topic};
use crate::http::conn::Socket;
use crate::http::opening::{self, Opened};
use crate::live::Feed;
use crate::live::feed::{Next, Opening, Start};
use crate::live::metrics::Ending;

impl Session {
    /// Does what the client asks for; the answer is the word for what was done, or why not.
    pub(super) async fn do_command(
        &mut self,
        socket: &mut Socket,
        command: Command,
    ) -> Result<Result<&'static str, Refusal>, End> {
        let named = opening::wanted(&command.topics.join(","));
        let named = match named {
            Ok(named) => named.into_iter().collect::<BTreeSet<_>>(),
            Err(topic) => return Ok(Err(not_for_you(&topic))),
        };
        // What passed on other topics while nothing came is behind the client: a topic without
        // `after` begins now.
        self.feed.rest();
        match command.op {
            Op::Ping => Ok(Ok("pong")),
            Op::Signal => Ok(Err(Refusal::new("signal.unknown", "no such signal"))),
            Op::Subscribe => {
                let after = command.after.as_deref();
                Ok(self.subscribe(socket, named, after).await?.map(|()| "subscribed"))
            }
            Op::Unsubscribe => {
                let rest = self.topics.difference(&named).copied().collect();
                Ok(self.reopen(rest).await?.map(|()| "unsubscribed"))
            }
        }
    }

    /// Adds topics. What happened on the new ones after `after` comes first; then all of them go
    /// on together from where the client stands.
    async fn subscribe(
        &mut self,
        socket: &mut Socket,
        named: BTreeSet<Topic>,
        after: Option<&str>,
    ) -> Result<Result<(), Refusal>, End> {
        let fresh: Vec<_> = named.difference(&self.topics).copied().collect();
        if let (Some(after), false) = (after, fresh.is_empty()) {
            let start = Cursor::parse(after).map_or(Start::Garbage, Start::After);
            let opened = match self.open(&fresh, &start).await? {
                Ok(opened) => opened,
                Err(refusal) => return Ok(Err(refusal)),
            };
            match opened.opening {
                Opening::Whole => self.catch_up(socket, opened.feed).await?,
                Opening::Resync(reason) => self.say_resync(socket, reason).await?,
            }
        }
        let all = self.topics.union(&named).copied().collect();
        self.reopen(all).await
    }

    /// Passes on what new topics had until the position that the client has reached, but for what
    /// it heard on its other topics.
    async fn catch_up(&mut self, socket: &mut Socket, mut feed: Feed) -> Result<(), End> {
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
            self.write_frames(socket, &missed).await?;
        }
        Ok(())
    }

    /// Goes on with these topics from where the client stands.
    async fn reopen(&mut self, topics: BTreeSet<Topic>) -> Result<Result<(), Refusal>, End> {
        let list: Vec<_> = topics.iter().copied().collect();
        let opened = match self.open(&list, &Start::After(self.feed.cursor())).await? {
            Ok(opened) => opened,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.feed = opened.feed;
        self.topics = topics;
        Ok(Ok(()))
    }

    async fn open(
        &mut self,
        topics: &[Topic],
        start: &Start,
    ) -> Result<Result<Opened, Refusal>, End> {
        match opening::open(&self.app, &self.principal, &self.holder, Some(topics), start).await {
            Ok(Ok(opened)) => Ok(Ok(opened)),
            Ok(Err(topic)) => Ok(Err(not_for_you(&topic.to_string()))),
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

fn not_for_you(topic: &str) -> Refusal {
    Refusal::new("topic.forbidden", format!("the topic {topic} is not for you to hear"))
}
