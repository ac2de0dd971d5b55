//! What is refused before any handler sees it, and what every answer carries.
//!
//! The guard stands around the whole router. It turns away requests that no honest client sends
//! (a missing or foreign `Host`, a doubtful path, a body that is too long), writes that another
//! site's page asks for, and puts a request id and the security headers on everything that goes
//! out. A handler that panics or hangs costs its caller an error and nobody else anything.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::future::poll_fn;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use http_body::Body as _;
use http_body_util::Limited;
use tokio::time::{Instant, timeout};

use super::listen::Peer;
use super::problem::Problem;
use super::target;

/// Bytes of a body, where no route says otherwise.
const BODY_MAX: u64 = 1024 * 1024;
/// Routes whose bodies may be longer: a house's list of people.
const LONG_BODIES: [(&str, u64); 1] = [("/api/v1/people/import", 16 * 1024 * 1024)];
/// How long a handler may take before its caller is told to come again.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Every method that some route answers to.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];
const ALLOW: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// The headers that every answer carries. `trusted-types daybook` is the one policy that pages
/// may create, for their service worker.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; \
         frame-ancestors 'none'; form-action 'self'; require-trusted-types-for 'script'; \
         trusted-types daybook",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The name under which an answer's request id is sent.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of one request, on its answer and in its log line.
#[derive(Clone, Copy)]
struct RequestId {
    run: u32,
    number: u64,
}

impl RequestId {
    /// Two numbers in hex, and the dash.
    const LENGTH_MAX: usize = 8 + 1 + 16;

    fn text(self) -> String {
        let mut text = String::with_capacity(RequestId::LENGTH_MAX);
        // Writing to a String cannot fail.
        let _ = write!(text, "{:08x}-{:x}", self.run, self.number);
        text
    }
}

/// What the guard goes by.
#[derive(Debug, Clone)]
pub struct Guard {
    hosts: Arc<HashSet<String>>,
    /// Differs with every start, so that ids of two runs are never mixed up in a log.
    run: u32,
    requests: Arc<AtomicU64>,
    /// What answers carry: those of pages, and those of the API.
    headers: Arc<HeaderMap>,
    api_headers: Arc<HeaderMap>,
}

impl Guard {
    /// Lets in requests for these host names, for this machine's loopback names, and for the
    /// address that a connection came in by.
    pub fn new(hosts: impl IntoIterator<Item = String>) -> Guard {
        let hosts = hosts.into_iter().map(|name| name.to_ascii_lowercase());
        let run = getrandom::u32().unwrap_or_default();
        Guard {
            hosts: Arc::new(hosts.chain(["localhost".to_owned()]).collect()),
            run,
            requests: Arc::default(),
            headers: Arc::new(carried(false)),
            api_headers: Arc::new(carried(true)),
        }
    }

    /// Takes note of a request that comes in.
    pub fn enter(&self, request: &Request) -> Entry {
        Entry {
            id: RequestId { run: self.run, number: self.requests.fetch_add(1, Ordering::Relaxed) },
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            api: is_api(request.uri().path()),
            started: Instant::now(),
        }
    }

    /// Lets a request in, its body bounded, or says why not.
    pub fn admit(&self, request: &mut Request) -> Result<(), Problem> {
        self.judge(request)?;
        // A length that is declared has been judged, and no more than that is read.
        if request.body().size_hint().exact().is_none() {
            let max = body_max(request.uri().path());
            let body = std::mem::take(request.body_mut());
            *request.body_mut() = Body::new(Limited::new(body, max as usize));
        }
        Ok(())
    }

    /// Gives an answer what every one carries, and takes note of it.
    pub fn finish(&self, entry: Entry, mut response: Response) -> Response {
        let id = entry.id.text();
        super::problem::render(&mut response, &id);
        let carried = if entry.api { &self.api_headers } else { &self.headers };
        let own = std::mem::replace(response.headers_mut(), HeaderMap::clone(carried));
        response.headers_mut().extend(own);
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        entry.log(&id, response.status());
        response
    }

    /// Returns why a request is refused, if it is.
    fn judge(&self, request: &Request) -> Result<(), Problem> {
        if !METHODS.contains(request.method()) {
            let refusal = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "request.method");
            return Err(refusal.with_header(header::ALLOW, ALLOW));
        }
        target::check(request.uri())?;
        let host = self.check_host(request)?;
        check_length(request)?;
        check_encoding(request.headers())?;
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
        if reads { Ok(()) } else { check_origin(request.headers(), host.as_ref()) }
    }

    /// Returns the one host that a request names. Only HTTP/1.0 may name none.
    fn check_host(&self, request: &Request) -> Result<Option<Authority>, Problem> {
        let malformed = || Problem::malformed("request.host", "one valid Host is needed");
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().ok().and_then(authority).ok_or_else(malformed)?,
            // A request that never was on a wire (no peer) needs no host: nothing can rebind it.
            (None, _) if is_old(request) || request.extensions().get::<Peer>().is_none() => {
                return Ok(None);
            }
            _ => return Err(malformed()),
        };
        if request.uri().authority().is_some_and(|named| *named != host) {
            return Err(malformed());
        }
        if self.is_ours(host.host(), request.extensions().get::<Peer>()) {
            Ok(Some(host))
        } else {
            let status = StatusCode::MISDIRECTED_REQUEST;
            Err(Problem::new(status, "request.host_unknown")
                .because("this host name is not served here; the setting `hosts` lists them"))
        }
    }

    fn is_ours(&self, host: &str, peer: Option<&Peer>) -> bool {
        if self.hosts.contains(host) {
            return true;
        }
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) => {
                let address = address.to_canonical();
                address.is_loopback()
                    || peer.is_some_and(|peer| peer.local.ip().to_canonical() == address)
                    || self.hosts.contains(&host)
            }
            Err(_) => self.hosts.contains(&host),
        }
    }
}

/// A request that is being answered.
pub struct Entry {
    id: RequestId,
    method: Method,
    route: Option<MatchedPath>,
    api: bool,
    started: Instant,
}

impl Entry {
    fn log(&self, id: &str, status: StatusCode) {
        let Entry { method, started, .. } = self;
        let route = self.route.as_ref().map_or("-", MatchedPath::as_str);
        let (status, failed) = (status.as_u16(), status.is_server_error());
        if failed {
            let duration_ms = started.elapsed().as_millis();
            tracing::warn!(request.id = id, %method, route, status, duration_ms, "request failed");
        } else {
            let duration_ms = || started.elapsed().as_millis();
            tracing::debug!(request.id = id, %method, route, status, duration_ms = duration_ms(), "request answered");
        }
    }
}

/// Runs a handler, bounded in time and damage. It stays where it is pinned: it is large, and to
/// move it in here would keep room for it twice.
pub async fn bounded(answer: Pin<&mut impl Future<Output = Response>>) -> Response {
    let mut answer = pin!(timeout(ANSWER_MAX, answer));
    let answer = poll_fn(|cx| {
        let step = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx)));
        step.map_or_else(|_| Poll::Ready(Err(())), |step| step.map(Ok))
    });
    match answer.await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "server.slow")
            .because("this took too long; try again")
            .after(5)
            .into_response(),
        Err(()) => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "server.internal").into_response()
        }
    }
}

/// Returns what every answer carries, of the API or not, before it says more or otherwise itself.
fn carried(api: bool) -> HeaderMap {
    let all = HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value)));
    let mut headers = HeaderMap::from_iter(all);
    if api {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers
}

/// Answers a request that was not let in. It is not to be trusted: the answer is the connection's
/// last.
pub fn refused(problem: Problem) -> Response {
    let mut response = problem.into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn is_old(request: &Request) -> bool {
    request.version() < Version::HTTP_11
}

fn is_api(path: &str) -> bool {
    path.starts_with("/api/")
}

fn body_max(path: &str) -> u64 {
    LONG_BODIES.iter().find(|(route, _)| *route == path).map_or(BODY_MAX, |(_, max)| *max)
}

/// Refuses a body by its declared length before a byte of it is asked for.
fn check_length(request: &Request) -> Result<(), Problem> {
    let mut encodings = request.headers().get_all(header::TRANSFER_ENCODING).iter();
    let plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    if encodings.next().is_some_and(|value| !plain(value)) || encodings.next().is_some() {
        return Err(Problem::malformed("request.encoding", "only `chunked` is read here"));
    }
    let Some(length) = request.headers().get(header::CONTENT_LENGTH) else { return Ok(()) };
    let length = length.to_str().ok().and_then(|length| length.parse::<u64>().ok());
    let malformed = || Problem::malformed("request.length", "Content-Length is not a length");
    if length.ok_or_else(malformed)? > body_max(request.uri().path()) {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request.too_large")
            .because("the body is too long"));
    }
    Ok(())
}

/// Refuses a body that is packed in any way, or said to be: nothing here unpacks one.
fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(header::CONTENT_ENCODING).iter().all(plain) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "request.content_encoding")
        .because("a body must come unpacked, without a Content-Encoding")
        .with_header(header::ACCEPT_ENCODING, "identity"))
}

/// Refuses a write that another site's page asks for. Browsers name the asking page in `Origin`;
/// on a plain LAN address they send nothing else, so this must hold alone. A write that carries a
/// cookie must say where it comes from; one with a key of its own need not.
pub(super) fn check_origin(headers: &HeaderMap, host: Option<&Authority>) -> Result<(), Problem> {
    let foreign =
        || Problem::new(StatusCode::FORBIDDEN, "origin.foreign").because("not asked from here");
    if headers.contains_key(header::ORIGIN) {
        // Of two, neither is believed alone.
        let mut origins = headers.get_all(header::ORIGIN).iter().map(HeaderValue::to_str);
        let same = origins.all(|origin| origin.is_ok_and(|origin| is_same_origin(origin, host)));
        return if same { Ok(()) } else { Err(foreign()) };
    }
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(foreign()),
        None if headers.contains_key(header::COOKIE) => {
            Err(Problem::new(StatusCode::FORBIDDEN, "origin.missing")
                .because("a write by cookie must name its Origin"))
        }
        None => Ok(()),
    }
}

/// Reads a host and its port, if there is one: nobody's name before them, and nothing behind that
/// only begins like a port.
fn authority(text: &str) -> Option<Authority> {
    let authority = text.parse::<Authority>().ok()?;
    let port = authority.as_str().strip_prefix(authority.host())?;
    (matches!(port, "" | ":") || authority.port_u16().is_some()).then_some(authority)
}

/// Says whether `origin` is the host that was asked. The scheme may differ from ours: a proxy in
/// front may be the one that speaks TLS.
fn is_same_origin(origin: &str, host: Option<&Authority>) -> bool {
    let Some(host) = host else { return false };
    let Some((scheme, rest)) = origin.split_once("://") else { return false };
    let default = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    authority(rest).is_some_and(|origin| {
        origin.host().eq_ignore_ascii_case(host.host())
            && origin.port_u16().unwrap_or(default) == host.port_u16().unwrap_or(default)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Faults 50 and 52.
    #[test]
    fn only_the_very_same_place_is_the_same_origin() {
        for (origin, host, same) in [
            ("http://house.lan:8080", "house.lan:8080", true),
            ("http://HOUSE.lan", "house.lan:80", true),
            ("https://house.lan", "house.lan", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://house.lan:8081", "house.lan:8080", false),
            ("http://house.lan.evil.example", "house.lan", false),
            ("http://evilhouse.lan", "house.lan", false),
            ("http://house.lan@evil.example", "house.lan", false),
            ("http://x@house.lan", "house.lan", false),
            ("http://house.lan:80.evil.example", "house.lan", false),
            ("null", "house.lan", false),
            ("file://house.lan", "house.lan", false),
            ("", "house.lan", false),
        ] {
            assert_eq!(is_same_origin(origin, authority(host).as_ref()), same, "{origin} {host}");
        }
    }

    /// Fault 3.
    #[test]
    fn a_name_is_ours_by_list_by_loopback_or_by_the_address_that_was_dialled() {
        let guard = Guard::new(["daybook.lan".to_owned()]);
        let peer = Peer {
            remote: "192.168.1.9:5000".parse().unwrap(),
            local: "192.168.1.2:8080".parse().unwrap(),
            secure: false,
        };
        for host in
            ["daybook.lan", "DAYBOOK.lan.", "localhost", "127.0.0.1", "[::1]", "192.168.1.2"]
        {
            assert!(guard.is_ours(host, Some(&peer)), "{host}");
        }
        for host in ["evil.example", "xdaybook.lan", "192.168.1.3", "[2001:db8::1]"] {
            assert!(!guard.is_ours(host, Some(&peer)), "{host}");
        }
    }
}
