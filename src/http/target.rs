//! What a request asks for, as it stands in its first line.

use axum::http::{StatusCode, Uri};

use super::problem::Problem;

/// Bytes of a request target, beyond which it is refused with 414.
const TARGET_MAX: usize = 8 * 1024;

/// Refuses targets that mean one thing here and another elsewhere: dot segments, backslashes,
/// control characters, broken or doubled encodings; and queries that are no text.
pub fn check(uri: &Uri) -> Result<(), Problem> {
    let length = uri.path_and_query().map_or(0, |target| target.as_str().len());
    if length > TARGET_MAX {
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "request.target_too_long")
            .because("the address is too long"));
    }
    if uri.query().is_some_and(|query| !is_text(query)) {
        return Err(Problem::malformed("request.query", "the query cannot be read"));
    }
    let malformed = || Problem::malformed("request.path", "the path cannot be read");
    if is_plain(uri.path()) {
        return Ok(());
    }
    let path = decoded(uri.path()).ok_or_else(malformed)?;
    let odd = path.chars().any(|c| c.is_control() || c == '\\');
    let dots = path.split('/').any(|segment| segment == "." || segment == "..");
    // An encoded slash would be a separator to some and a character to others.
    let slashes = path.matches('/').count() != uri.path().matches('/').count();
    if odd || dots || slashes || !path.starts_with('/') { Err(malformed()) } else { Ok(()) }
}

/// Says whether a query is text: what is not would be read with other characters in their place.
fn is_text(query: &str) -> bool {
    !query.contains('%') || decoded(query).is_some_and(|text| !text.contains('\0'))
}

/// Says whether a path holds nothing that could be doubtful, as most do.
fn is_plain(path: &str) -> bool {
    path.starts_with('/')
        && path
            .bytes()
            .all(|byte| matches!(byte, b'/' | b'-' | b'_') || byte.is_ascii_alphanumeric())
}

/// Returns a path or a query without its percent signs; none when they, or the bytes they hide, are broken.
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

#[cfg(test)]
mod tests {
    use super::check;

    /// Fault 13.
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
            "/api/v1/people?q=%ff",
            "/?q=a%00",
            "/?q=%4",
        ] {
            assert!(check(&path.parse().unwrap()).is_err(), "{path}");
        }
        for path in ["/", "/api/v1/people/7", "/a%20b", "/a.b/..c", "/%C3%A4", "/a?q=%C3%A4+%2F&b"]
        {
            assert!(check(&path.parse().unwrap()).is_ok(), "{path}");
        }
    }
}
