//! A small HTTP/1.1 client over loopback, for the demo's day, the benchmarks
//! and the tests: one connection kept alive, JSON, and event streams.

use std::collections::VecDeque;
use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Talks to one server as one caller.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    /// Sent with every request, such as a cookie or a key.
    headers: Vec<(&'static str, String)>,
    connection: tokio::sync::Mutex<Option<SendRequest<Full<Bytes>>>>,
}

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
}

/// One frame of an event stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SseFrame {
    pub id: Option<String>,
    pub event: Option<String>,
    pub data: Option<String>,
}

/// An open event stream.
#[derive(Debug)]
pub struct Stream {
    pub status: u16,
    pub headers: hyper::HeaderMap,
    body: Incoming,
    buffer: Vec<u8>,
    ready: VecDeque<SseFrame>,
}

impl Client {
    /// Returns a client of the server at `address`, that is nobody yet.
    pub fn new(address: SocketAddr) -> Client {
        Client { address, headers: Vec::new(), connection: tokio::sync::Mutex::new(None) }
    }

    /// Returns a client that also sends this header with every request.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Client {
        self.headers.push((name, value.into()));
        self
    }

    /// Returns the server's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks for `path`.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    /// Posts `body` as JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.json(Method::POST, path, body).await
    }

    /// Sends `body` as JSON by `method`.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Result<Answer> {
        let kind = [("content-type", "application/json")];
        self.send(method, path, &kind, body.to_string().into()).await
    }

    /// Sends a request; a kept connection that the server has closed since is
    /// opened again once.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer> {
        let mut kept = self.connection.lock().await;
        let sender = match kept.take() {
            Some(sender) if !sender.is_closed() => Some(sender),
            _ => None,
        };
        let mut sender = match sender {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        sender.ready().await?;
        let request = self.request(method, path, headers, body)?;
        let response = sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        *kept = Some(sender);
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// Opens an event stream on a connection of its own.
    pub async fn stream(&self, path: &str, headers: &[(&str, &str)]) -> Result<Stream> {
        let mut sender = self.connect().await?;
        let request = self.request(Method::GET, path, headers, Bytes::new())?;
        let (parts, body) = sender.send_request(request).await?.into_parts();
        Ok(Stream {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            buffer: Vec::new(),
            ready: VecDeque::new(),
        })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let socket = TcpStream::connect(self.address).await?;
        socket.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
        // Ends by itself when the sender is dropped and the answer read.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::ORIGIN, format!("http://{}", self.address));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Full::new(body)).context("the request cannot be built")
    }
}

impl Answer {
    /// Reads the body as JSON; null when there is none.
    pub fn json(&self) -> Result<Value> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {text}"))
    }

    /// Returns the cookies that the answer sets, as a `Cookie` header sends them.
    pub fn cookies(&self) -> String {
        let set = self.headers.get_all(header::SET_COOKIE).iter().filter_map(|c| c.to_str().ok());
        set.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
    }
}

impl Stream {
    /// Returns the next frame; none when the server has ended the stream.
    pub async fn next(&mut self) -> Result<Option<SseFrame>> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Ok(Some(frame));
            }
            let Some(part) = self.body.frame().await else { return Ok(None) };
            if let Ok(bytes) = part?.into_data() {
                self.buffer.extend_from_slice(&bytes);
                self.take_frames();
            }
        }
    }

    fn take_frames(&mut self) {
        while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
            let rest = self.buffer.split_off(end + 2);
            let text = std::mem::replace(&mut self.buffer, rest);
            self.ready.push_back(SseFrame::parse(&String::from_utf8_lossy(&text)));
        }
    }
}

impl SseFrame {
    fn parse(text: &str) -> SseFrame {
        let field = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.strip_prefix(name));
            lines.next().map(|value| value.trim_start().to_owned())
        };
        SseFrame { id: field("id:"), event: field("event:"), data: field("data:") }
    }

    /// Reads the frame's data as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(self.data.as_deref().unwrap_or("null")).context("not JSON")
    }
}
