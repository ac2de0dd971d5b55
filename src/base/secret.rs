//! Secrets: made by the operating system, kept as hashes, compared in constant time.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Result;

/// Returns `N` random bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(anyhow::Error::from)?;
    Ok(bytes)
}

/// Returns a random text of `length` characters that people can read aloud:
/// digits and capitals without those that look alike (0 O 1 I L U).
pub fn readable(length: usize) -> Result<String> {
    const LETTERS: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let [byte] = random::<1>()?;
        // 240 is the last multiple of 30: no letter is likelier than another.
        if byte < 240
            && let Some(letter) = LETTERS.get(usize::from(byte % 30))
        {
            text.push(char::from(*letter));
        }
    }
    Ok(text)
}

/// Returns `length` random decimal digits.
pub fn digits(length: usize) -> Result<String> {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let [byte] = random::<1>()?;
        // 250 is the last multiple of 10: no digit is likelier than another.
        if byte < 250 {
            text.push(char::from(b'0' + byte % 10));
        }
    }
    Ok(text)
}

/// Returns `bytes` as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the SHA-256 of `bytes`. Enough for random secrets; passwords take argon2.
pub fn hash(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(bytes.as_ref()).into()
}

/// Compares without telling by the time taken where the first difference stands.
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |d, (l, r)| d | (l ^ r)) == 0
}

/// The key by which a running server knows whoever owns its data directory: made at the start,
/// forgotten at the end, and written nowhere but into that directory.
#[derive(Clone)]
pub struct OperatorKey(Arc<str>);

impl OperatorKey {
    /// Makes a key.
    pub fn new() -> Result<OperatorKey> {
        Ok(OperatorKey(hex(&random::<24>()?).into()))
    }

    /// Says whether `shown` is this key.
    pub fn is(&self, shown: &str) -> bool {
        same(&hash(shown), &hash(&*self.0))
    }

    /// Returns the key's text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}
