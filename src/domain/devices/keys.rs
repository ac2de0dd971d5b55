//! Keys of readers and wall screens: `<prefix>.<secret>`, the secret kept as a
//! hash only.
//!
//! Every request of a reader shows its key, so the keys that are good now are
//! kept in memory. [`KeyRing`] is read anew inside the writer after each commit
//! that changed one, before anybody has the answer: a revoked key never works
//! again once its revocation is known to the caller.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rusqlite::Connection;

use super::model::{Scanner, TagOrder};
use crate::base::id::{DeviceId, DisplayId};
use crate::base::{Result, Timestamp, secret};
use crate::store::rows::{self, FromRow, Row};

/// How long a new key that has been handed out may wait for its first use.
pub const ROLL_MAX: Duration = Duration::from_secs(24 * 3600);

/// How exactly we know when a reader was heard of, beside its heartbeats; a
/// write for each request would be dear.
const NOTE_EVERY_MS: i64 = 30_000;

/// No key of ours is longer; what is longer is not even hashed.
const KEY_MAX: usize = 128;

/// A key just made; its text is handed out once and kept nowhere.
pub struct NewKey {
    pub text: String,
    pub prefix: String,
    pub hash: [u8; 32],
}

impl NewKey {
    /// Makes a key whose prefix begins with `kind`: R of a reader, W of a wall screen.
    pub fn make(kind: char) -> Result<NewKey> {
        let prefix = format!("{kind}{}", secret::readable(7)?);
        let secret = secret::hex(&secret::random::<32>()?);
        Ok(NewKey { text: format!("{prefix}.{secret}"), hash: secret::hash(&secret), prefix })
    }
}

/// Who shows a good key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHolder {
    Device(Known),
    Display(DisplayId),
}

/// A reader that has shown a good key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub scanner: Scanner,
    pub tag_order: TagOrder,
    /// Whether it has shown a new key that must now replace the old one.
    pub rolled: bool,
    /// Whether it was not heard of for a while, so that this should be noted.
    pub unheard: bool,
}

/// The keys that are good now. Clones are one ring.
#[derive(Clone, Default)]
pub struct KeyRing {
    keys: Arc<RwLock<HashMap<String, Key>>>,
}

struct Key {
    hash: Vec<u8>,
    holder: KeyHolder,
    /// Until when a new key may wait for its first use.
    good_until: Option<Timestamp>,
    /// When its reader was last noted to be alive, in milliseconds.
    noted: Arc<AtomicI64>,
}

impl KeyRing {
    /// Reads all keys anew.
    pub fn reload(&self, conn: &Connection) -> Result<()> {
        let devices: Vec<DeviceKeys> = rows::all(
            conn,
            "select device_id, mode, room_id, language, show_name, daily_checkout_from, skew_ms,
                    tag_order, key_prefix, key_hash, next_key_prefix, next_key_hash, next_key_at
             from device
             where state <> 'revoked'",
            [],
        )?;
        let displays: Vec<DisplayKey> = rows::all(
            conn,
            "select display_id, key_prefix, key_hash
             from display
             where revoked_at is null",
            [],
        )?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let noted: HashMap<DeviceId, Arc<AtomicI64>> = keys
            .values()
            .filter_map(|key| match key.holder {
                KeyHolder::Device(known) => Some((known.scanner.device, key.noted.clone())),
                KeyHolder::Display(_) => None,
            })
            .collect();
        keys.clear();
        for device in devices {
            let noted = noted.get(&device.known.scanner.device).cloned().unwrap_or_default();
            device.put_into(&mut keys, noted);
        }
        for DisplayKey { display, prefix, hash } in displays {
            let holder = KeyHolder::Display(display);
            keys.insert(prefix, Key { hash, holder, good_until: None, noted: Arc::default() });
        }
        Ok(())
    }

    /// Returns who holds `key`, if it is good at `now`. A wrong secret takes as
    /// long as a prefix that does not exist.
    pub fn holder(&self, key: &str, now: Timestamp) -> Option<KeyHolder> {
        if key.len() > KEY_MAX {
            return None;
        }
        let (prefix, secret) = key.split_once('.')?;
        let shown = secret::hash(secret);
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(prefix);
        let good = secret::same(&shown, key.map_or(&[0; 32], |key| &key.hash));
        let key = key.filter(|_| good)?;
        if key.good_until.is_some_and(|until| until <= now) {
            return None;
        }
        Some(match key.holder {
            KeyHolder::Device(known) => {
                let unheard = now.0.abs_diff(key.noted.load(Ordering::Relaxed));
                let unheard = unheard >= NOTE_EVERY_MS.unsigned_abs();
                if unheard {
                    key.noted.store(now.0, Ordering::Relaxed);
                }
                KeyHolder::Device(Known { unheard, ..known })
            }
            display @ KeyHolder::Display(_) => display,
        })
    }
}

struct DeviceKeys {
    known: Known,
    prefix: String,
    hash: Vec<u8>,
    next: Option<(String, Vec<u8>, Timestamp)>,
}

impl DeviceKeys {
    fn put_into(self, keys: &mut HashMap<String, Key>, noted: Arc<AtomicI64>) {
        if let Some((prefix, hash, at)) = self.next {
            let holder = KeyHolder::Device(Known { rolled: true, ..self.known });
            let good_until = Some(at.plus(ROLL_MAX));
            keys.insert(prefix, Key { hash, holder, good_until, noted: noted.clone() });
        }
        let holder = KeyHolder::Device(self.known);
        keys.insert(self.prefix, Key { hash: self.hash, holder, good_until: None, noted });
    }
}

impl FromRow for DeviceKeys {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<DeviceKeys> {
        let next: (Option<String>, Option<Vec<u8>>, Option<Timestamp>) =
            (row.get("next_key_prefix")?, row.get("next_key_hash")?, row.get("next_key_at")?);
        let next = match next {
            (Some(prefix), Some(hash), Some(at)) => Some((prefix, hash, at)),
            _ => None,
        };
        let known = Known {
            scanner: Scanner::from_row(row)?,
            tag_order: row.get("tag_order")?,
            rolled: false,
            unheard: false,
        };
        let (prefix, hash) = (row.get("key_prefix")?, row.get("key_hash")?);
        Ok(DeviceKeys { known, prefix, hash, next })
    }
}

struct DisplayKey {
    display: DisplayId,
    prefix: String,
    hash: Vec<u8>,
}

impl FromRow for DisplayKey {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<DisplayKey> {
        Ok(DisplayKey {
            display: row.get("display_id")?,
            prefix: row.get("key_prefix")?,
            hash: row.get("key_hash")?,
        })
    }
}
