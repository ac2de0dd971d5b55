//! Errors as clients read them: `application/problem+json` (RFC 9457).
//!
//! A handler or the guard puts a [`Problem`] on its answer; the guard writes it out at the very
//! end, so that every one carries its request id, whoever made it. An error without one, such as
//! the router's own 404, becomes a plain problem of its status.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What went wrong, for a program (`code`) and for a person (`detail`).
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    more: Box<More>,
}

/// What only some problems say.
#[derive(Debug, Clone, Default)]
struct More {
    detail: Option<Cow<'static, str>>,
    field: Option<Cow<'static, str>>,
    details: Option<serde_json::Value>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// Returns a problem of this status with a stable, dotted code.
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>) -> Problem {
        Problem { status, code: code.into(), more: Box::default() }
    }

    /// Returns the complaint that a request cannot be read.
    pub fn malformed(code: &'static str, detail: &'static str) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, code).because(detail)
    }

    /// Adds a sentence for people.
    pub fn because(mut self, detail: impl Into<Cow<'static, str>>) -> Problem {
        self.more.detail = Some(detail.into());
        self
    }

    /// Names the field that is wrong.
    pub fn in_field(mut self, field: impl Into<Cow<'static, str>>) -> Problem {
        self.more.field = Some(field.into());
        self
    }

    /// Adds what a program may want to know beside the code, as a JSON object.
    pub fn with_details(mut self, details: serde_json::Value) -> Problem {
        self.more.details = Some(details);
        self
    }

    /// Says when to come again.
    pub fn after(self, seconds: u32) -> Problem {
        self.with_header(header::RETRY_AFTER, &seconds.to_string())
    }

    /// Adds a header to the answer.
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Problem {
        self.more.header = HeaderValue::from_str(value).ok().map(|value| (name, value));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some((name, value)) = self.more.header.clone() {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// An error (RFC 9457). `code` is stable and dotted, the one field to act upon; texts may change.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(super) struct Written<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    #[schema(example = "visit.room_full")]
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// The field that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// Names the request in the server's log.
    request_id: &'a str,
    /// More, for some codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    details: Option<&'a serde_json::Value>,
}

/// How a caller may say who it is, on every 401 that does not say it closer (RFC 9110, 15.5.2).
/// Never `Basic`: browsers would ask for a password in a window of their own.
const CHALLENGE: HeaderValue =
    HeaderValue::from_static(r#"Bearer realm="daybook", Cookie realm="daybook""#);

/// Gives an answer that is an error its body, unless it is a page that says it in words.
pub fn render(response: &mut Response, request_id: &str) {
    let status = response.status();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().entry(header::WWW_AUTHENTICATE).or_insert(CHALLENGE);
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    let page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if page || !status.is_client_error() && !status.is_server_error() {
        return;
    }
    let problem = response
        .extensions_mut()
        .remove::<Problem>()
        .unwrap_or_else(|| Problem::new(status, plain_code(status)));
    let written = Written {
        kind: "about:blank",
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        code: &problem.code,
        detail: problem.more.detail.as_deref(),
        field: problem.more.field.as_deref(),
        request_id,
        details: problem.more.details.as_ref(),
    };
    let body = serde_json::to_vec(&written).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = Body::from(body);
}

fn plain_code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "route.not_found",
        StatusCode::METHOD_NOT_ALLOWED => "request.method",
        StatusCode::PAYLOAD_TOO_LARGE => "request.too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "request.wrong_type",
        status if status.is_server_error() => "server.internal",
        _ => "request.malformed",
    }
}
