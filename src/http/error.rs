//! Errors on the wire: the only place where one becomes a status code, and
//! where a defect is logged, once, with its chain.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::base::Error;

/// How a badge reader says who it is; no cookie is taken there.
const READER_CHALLENGE: &str = r#"Bearer realm="daybook""#;

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let problem = Problem::new(status(&self), self.code());
        let problem = match self {
            Error::Internal(source) => {
                tracing::error!(error = format!("{source:#}"), "request failed");
                problem
            }
            Error::StorageFailed(ref source) => {
                tracing::error!(error = format!("{source:#}"), "the storage refused a write");
                problem.because(self.to_string()).after(5)
            }
            Error::KeyWrong => problem
                .because(self.to_string())
                .with_header(header::WWW_AUTHENTICATE, READER_CHALLENGE),
            Error::Busy => problem.because(self.to_string()).after(1),
            Error::TooMany { retry_after_s, .. } => {
                problem.because(self.to_string()).after(retry_after_s)
            }
            Error::Malformed { field: Some(field), problem: why } => {
                problem.because(why).in_field(field)
            }
            Error::Invalid { field, problem: why } => {
                problem.because(format!("{field}: {why}")).in_field(field)
            }
            Error::Conflict { detail, details: Some(details), .. } => {
                problem.because(detail).with_details(*details)
            }
            other => problem.because(other.to_string()),
        };
        problem.into_response()
    }
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::SignedOut | Error::KeyWrong | Error::LoginFailed => StatusCode::UNAUTHORIZED,
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
