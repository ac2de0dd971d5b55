//! What is refused before any handler sees it, and what every answer carries.
//!
//! The guard stands around the whole router. It turns away requests that no honest client sends
//! (a missing or foreign `Host`, a doubtful path, a body that is too long), writes that another
//! site's page asks for, and puts a request id and the security headers on everything that goes
//! out. A handler that panics or hangs costs its caller an error and nobody else anything.

use std::collections::HashSet;
use std::future::poll_fn;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::Limited;
use tokio::time::{Instant, timeout};

use super::listen::Peer;
use super::problem::Problem;

/// Bytes of a request target, beyond which it is refused with 414.
const TARGET_MAX: usize = 8 * 1024;
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
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// What the guard goes by.
#[derive(Debug, Clone)]
pub struct Guard {
    hosts: Arc<HashSet<String>>,
    /// Differs with every start, so that ids of two runs are never mixed up in a log.
    run: u32,
    requests: Arc<AtomicU64>,
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
        }
    }

    fn request_id(&self) -> RequestId {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        RequestId(format!("{:08x}-{number:x}", self.run).into())
    }

    /// Returns why a request is refused, if it is.
    fn judge(&self, request: &Request) -> Result<(), Problem> {
        if !METHODS.contains(request.method()) {
            let refusal = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "request.method");
            return Err(refusal.with_header(header::ALLOW, ALLOW));
        }
        check_target(request)?;
        let host = self.check_host(request)?;
        check_length(request)?;
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
        if reads { Ok(()) } else { check_origin(request.headers(), host.as_ref()) }
    }

    /// Returns the one host that a request names. Only HTTP/1.0 may name none.
    fn check_host(&self, request: &Request) -> Result<Option<Authority>, Problem> {
        let malformed = || Problem::malformed("request.host", "one valid Host is needed");
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => {
                let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
                host.filter(|host| !host.as_str().contains('@')).ok_or_else(malformed)?
            }
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

/// Stands around the router: judges the request, runs it under a time limit, and finishes the
/// answer.
pub async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = guard.request_id();
    let method = request.method().clone();
    let api = is_api(request.uri().path());
    let route = request.extensions().get::<MatchedPath>().cloned();
    request.extensions_mut().insert(id.clone());

    let mut response = match guard.judge(&request) {
        Err(problem) => closing(problem.into_response()),
        Ok(()) => run(request, next).await,
    };
    finish(&mut response, &id, api);

    let status = response.status();
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let duration_ms = started.elapsed().as_millis();
    let id = &*id.0;
    if status.is_server_error() {
        tracing::warn!(request.id = id, %method, route, status = status.as_u16(), duration_ms, "request failed");
    } else {
        tracing::debug!(request.id = id, %method, route, status = status.as_u16(), duration_ms, "request answered");
    }
    response
}

/// Runs the handler, bounded in body, time and damage.
async fn run(request: Request, next: Next) -> Response {
    let max = body_max(request.uri().path());
    let request = request.map(|body| Body::new(Limited::new(body, max as usize)));
    let mut answer = pin!(timeout(ANSWER_MAX, next.run(request)));
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

fn finish(response: &mut Response, id: &RequestId, api: bool) {
    super::problem::render(response, &id.0);
    let headers = response.headers_mut();
    for (name, value) in &HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if api {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, id);
    }
}

/// Marks the answer to a request that is not to be trusted as the connection's last.
fn closing(mut response: Response) -> Response {
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

/// Refuses targets that mean one thing here and another elsewhere: dot segments, backslashes,
/// control characters, broken or doubled encodings.
fn check_target(request: &Request) -> Result<(), Problem> {
    let uri = request.uri();
    let length = uri.path_and_query().map_or(0, |target| target.as_str().len());
    if length > TARGET_MAX {
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "request.target_too_long"));
    }
    let malformed = || Problem::malformed("request.path", "the path cannot be read");
    let path = decoded(uri.path()).ok_or_else(malformed)?;
    let odd = path.chars().any(|c| c.is_control() || c == '\\');
    let dots = path.split('/').any(|segment| segment == "." || segment == "..");
    // An encoded slash would be a separator to some and a character to others.
    let slashes = path.matches('/').count() != uri.path().matches('/').count();
    if odd || dots || slashes || !path.starts_with('/') { Err(malformed()) } else { Ok(()) }
}

/// Returns `path` without its percent signs; none when they, or the bytes they hide, are broken.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = path.bytes();
    let mut plain = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(plain).ok()
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
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request.too_large"));
    }
    Ok(())
}

/// Refuses a write that another site's page asks for. Browsers name the asking page in `Origin`;
/// on a plain LAN address they send nothing else, so this must hold alone. A write that carries a
/// cookie must say where it comes from; one with a key of its own need not.
pub(super) fn check_origin(headers: &HeaderMap, host: Option<&Authority>) -> Result<(), Problem> {
    let foreign =
        || Problem::new(StatusCode::FORBIDDEN, "origin.foreign").because("not asked from here");
    if let Some(origin) = headers.get(header::ORIGIN) {
        let same = origin.to_str().is_ok_and(|origin| is_same_origin(origin, host));
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
    rest.parse::<Authority>().is_ok_and(|origin| {
        !rest.contains('@')
            && origin.host().eq_ignore_ascii_case(host.host())
            && origin.port_u16().unwrap_or(default) == host.port_u16().unwrap_or(default)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(host: &str) -> Authority {
        host.parse().unwrap()
    }

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
            ("null", "house.lan", false),
            ("file://house.lan", "house.lan", false),
            ("", "house.lan", false),
        ] {
            assert_eq!(is_same_origin(origin, Some(&authority(host))), same, "{origin} {host}");
        }
    }

    #[test]
    fn doubtful_paths_are_refused() {
        for path in [
            "/../etc/passwd",
            "/a/./b",
            "/%2e%2e/x",
            "/..%2fx",
            "/a%2fb",
            "/a%5c..",
            "/a%00",
            "/%ff%fe",
            "/%zz",
            "/%4",
        ] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            assert!(check_target(&request).is_err(), "{path}");
        }
        for path in ["/", "/api/v1/people/7", "/a%20b", "/a.b/..c", "/%C3%A4"] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            assert!(check_target(&request).is_ok(), "{path}");
        }
    }

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
