//! Errors on the wire: the only place where one becomes a status code, and
//! where a defect is logged, once, with its chain.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::base::Error;

/// The id of one request, in its answer and in the log.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// An error as clients read it (RFC 9457).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// A relative reference that names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// Stable and dotted; the one field to act upon.
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The field that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// More, for some codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    details: Option<serde_json::Value>,
    /// Names the request in the server's log.
    request_id: String,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = status(&self);
        if let Error::Internal(source) | Error::StorageFailed(source) = &self {
            tracing::error!(
                error = format!("{source:#}"),
                status = status.as_u16(),
                "request failed"
            );
        }
        let retry_after_s = match &self {
            Error::Busy => Some(1),
            Error::StorageFailed(_) => Some(5),
            Error::TooMany { retry_after_s, .. } => Some(*retry_after_s),
            _ => None,
        };
        let mut response = status.into_response();
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(problem(self, status));
        response
    }
}

/// Gives every answer its request id, and problems their body.
pub async fn render(
    request_id: Option<axum::Extension<RequestId>>,
    response: Response,
) -> Response {
    let (mut parts, body) = response.into_parts();
    let Some(mut problem) = parts.extensions.remove::<Problem>() else {
        return Response::from_parts(parts, body);
    };
    problem.request_id = request_id.map(|id| id.0.0).unwrap_or_default();
    let mut rendered = (parts.status, Json(problem)).into_response();
    for (name, value) in &parts.headers {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            rendered.headers_mut().append(name, value.clone());
        }
    }
    let kind = HeaderValue::from_static("application/problem+json");
    rendered.headers_mut().insert(header::CONTENT_TYPE, kind);
    rendered
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::SignedOut | Error::LoginFailed => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::Malformed { .. } => StatusCode::BAD_REQUEST,
        Error::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Conflict { .. } => StatusCode::CONFLICT,
        Error::Gone { .. } => StatusCode::GONE,
        Error::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Error::WrongType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Busy | Error::StorageFailed(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn problem(error: Error, status: StatusCode) -> Problem {
    let code = error.code().into_owned();
    let detail = match &error {
        Error::Internal(_) => None,
        shown => Some(shown.to_string()),
    };
    let (field, details) = match error {
        Error::Malformed { field, .. } => (field, None),
        Error::Invalid { field, .. } => (Some(field.into_owned()), None),
        Error::Conflict { details, .. } => (None, details.map(|details| *details)),
        _ => (None, None),
    };
    Problem {
        kind: format!("/problems/{code}"),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        code,
        detail,
        field,
        details,
        request_id: String::new(),
    }
}
