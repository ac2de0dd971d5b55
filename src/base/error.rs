//! The one error type: a closed list of outcomes that a caller can act upon.
//!
//! `http/error.rs` is the only place that turns one into a status. What a
//! viewer may not know of is [`Error::NotFound`]; what he may know but not do
//! is [`Error::Forbidden`].

use std::borrow::Cow;

/// What a fallible function returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Text that is nearly always known at compile time.
pub type Text = Cow<'static, str>;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in, or the session has ended.
    #[error("sign in first")]
    SignedOut,
    /// The key that a badge reader shows is nobody's: revoked, wrong or missing, never said which.
    #[error("no reader of this house has this key; tell the office")]
    KeyWrong,
    /// The user name or the password is wrong; never said which.
    #[error("user name or password is wrong")]
    LoginFailed,
    /// Known, but not for this caller to do. The code says what was refused.
    #[error("{}", refusal(.0))]
    Forbidden(&'static str),
    /// There is no such thing, or the caller may not know of it.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The request cannot be read: bad syntax, an unknown field, a wrong type.
    #[error("{problem}")]
    Malformed { field: Option<String>, problem: Text },
    /// The request can be read but its content is wrong.
    #[error("{field}: {problem}")]
    Invalid { field: Text, problem: Text },
    /// The present state does not allow it. `details` may say more, as JSON.
    #[error("{detail}")]
    Conflict { code: &'static str, detail: Text, details: Option<Box<serde_json::Value>> },
    /// It was there once and can be had no more.
    #[error("{detail}")]
    Gone { code: &'static str, detail: Text },
    /// The body is longer than the limit.
    #[error("the body is too long")]
    TooLarge,
    /// The body is of another content type than the one that is read here.
    #[error("the content type must be {0}")]
    WrongType(&'static str),
    /// Asked too often; may be asked again after `retry_after_s` seconds.
    #[error("too many requests")]
    TooMany { code: &'static str, retry_after_s: u32 },
    /// A bounded queue is full; the same request may be sent again soon.
    #[error("busy, try again")]
    Busy,
    /// The storage refuses writes (full, read-only, failing); reads go on.
    #[error("the storage takes no writes now")]
    StorageFailed(#[source] anyhow::Error),
    /// A defect. Shown to nobody, logged once with its chain.
    #[error("internal error")]
    Internal(#[from] anyhow::Error),
}

impl Error {
    /// Returns a conflict without details.
    pub fn conflict(code: &'static str, detail: impl Into<Text>) -> Error {
        Error::Conflict { code, detail: detail.into(), details: None }
    }

    /// Returns the complaint that `field` is readable but wrong.
    pub fn invalid(field: impl Into<Text>, problem: impl Into<Text>) -> Error {
        Error::Invalid { field: field.into(), problem: problem.into() }
    }

    /// Returns the complaint that the request cannot be read.
    pub fn malformed(problem: impl Into<Text>) -> Error {
        Error::Malformed { field: None, problem: problem.into() }
    }

    /// Returns what went wrong and all that it came from, for the log: callers are told less.
    pub fn chain(&self) -> String {
        let from = std::error::Error::source(self);
        std::iter::successors(from, |cause| cause.source())
            .fold(self.to_string(), |chain, cause| format!("{chain}: {cause}"))
    }

    /// Returns the stable, dotted code that clients act upon.
    pub fn code(&self) -> Text {
        match self {
            Error::SignedOut => "login.required".into(),
            Error::KeyWrong => "device.key_wrong".into(),
            Error::LoginFailed => "login.failed".into(),
            Error::Forbidden(code) | Error::TooMany { code, .. } => (*code).into(),
            Error::NotFound(what) => format!("{}.not_found", what.replace(' ', "_")).into(),
            Error::Malformed { .. } => "request.malformed".into(),
            Error::Invalid { .. } => "request.invalid".into(),
            Error::Conflict { code, .. } | Error::Gone { code, .. } => (*code).into(),
            Error::TooLarge => "request.too_large".into(),
            Error::WrongType(_) => "request.wrong_type".into(),
            Error::Busy => "server.busy".into(),
            Error::StorageFailed(_) => "storage.failed".into(),
            Error::Internal(_) => "server.internal".into(),
        }
    }
}

/// Says in words what a code of [`Error::Forbidden`] refuses.
fn refusal(code: &str) -> &'static str {
    match code {
        "access.role" => "this is not for your role to do",
        "activity.other_person" => "nobody tells what another person did",
        "attendance.other_day" => "only today is for you to see",
        "contacts.reason_needed" => {
            "a reason is needed to see contacts of somebody not in your care"
        }
        "device.enroll_code_wrong" => "this code is wrong or was never made",
        "group.not_own" => "you are not in charge of this group",
        "password.own" => "one's own password is changed with the present one",
        "password.wrong" => "the password is wrong",
        "person.former" => "who belonged to the house once is for the lead and the office to see",
        "pin.wrong" => "the badge, the user name or the PIN is wrong",
        "run.not_own" => "you are not in charge of this run",
        "setup.code_wrong" => "the set-up code is wrong",
        "supervision.not_own" => "this is in the charge of somebody else",
        "supervision.offer_not_yours" => "this offer is not yours",
        "supervision.standing" => "you can give up a substitution alone; the lead ends the rest",
        _ => "you may not do this",
    }
}

impl From<rusqlite::Error> for Error {
    /// Tells a storage that refuses writes from a defect of ours.
    fn from(source: rusqlite::Error) -> Error {
        use rusqlite::ErrorCode::{
            CannotOpen, DatabaseBusy, DiskFull, FileLockingProtocolFailed, ReadOnly,
            SystemIoFailure,
        };
        match source.sqlite_error_code() {
            Some(
                DiskFull | SystemIoFailure | ReadOnly | CannotOpen | FileLockingProtocolFailed,
            ) => Error::StorageFailed(source.into()),
            Some(DatabaseBusy) => Error::Busy,
            _ => Error::Internal(source.into()),
        }
    }
}

/// Turns a violated constraint into an error for the user, where the insert stands.
pub trait OnConstraint<T> {
    /// Maps a violation of the constraint or index on `columns` (as SQLite
    /// names it, such as `account.username`) to `error`.
    fn on_constraint(self, columns: &str, error: impl FnOnce() -> Error) -> Result<T>;
}

impl<T> OnConstraint<T> for Result<T> {
    fn on_constraint(self, columns: &str, error: impl FnOnce() -> Error) -> Result<T> {
        self.map_err(|e| match &e {
            Error::Internal(source)
                if source.downcast_ref::<rusqlite::Error>().is_some_and(|e| {
                    e.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
                        && e.to_string().contains(columns)
                }) =>
            {
                error()
            }
            _ => e,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_told_what_a_caller_is_not() {
        let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        let error = Error::from(rusqlite::Error::SqliteFailure(full, None));
        assert_eq!(error.to_string(), "the storage takes no writes now");
        assert!(error.chain().contains("now: Error code 13: database or disk is full"));
        let defect = Error::from(anyhow::anyhow!("no row").context("reading the house"));
        assert_eq!(defect.chain(), "internal error: reading the house: no row");
    }
}
