//! Letting readers in and out, and telling them what to be and do.

use std::time::Duration;

use rusqlite::params;

use super::keys::NewKey;
use super::model::{
    Change, Command, CommandKind, Device, Enrolled, Enrolment, Mode, NewCode, State, TagOrder,
};
use super::{health, queries, rules};
use crate::base::error::OnConstraint as _;
use crate::base::id::{CommandId, DeviceId, RoomId};
use crate::base::{Error, Result, TimeOfDay, Timestamp, secret, text};
use crate::domain::house;
use crate::domain::people;
use crate::live::Tx;
use crate::store::rows::{self, FromRow, Row};

/// How long a code lets a reader in.
pub const CODE_MAX: Duration = Duration::from_secs(15 * 60);

/// How many characters a code has: 58 bits, far more than can be tried in its time.
const CODE_LENGTH: usize = 12;

/// How long used and expired codes are told from unknown ones, and old orders kept.
const KEEP: Duration = Duration::from_secs(24 * 3600);

/// How many characters the name of a reader, its serial number, model and firmware have.
pub const NAME_MAX: usize = 80;

/// How many scans a reader may be told to keep.
const BUFFER: std::ops::RangeInclusive<i64> = 100..=100_000;

/// A code to type into a reader. Shown this once.
#[derive(Debug, Clone)]
pub struct Code {
    pub text: String,
    pub expires_at: Timestamp,
}

/// Makes a code that lets one reader in, soon.
pub fn issue_code(tx: &mut Tx<'_>, new: &NewCode) -> Result<Code> {
    let name = text::line("name", &new.name, NAME_MAX)?;
    check_room(new.mode, new.room)?;
    let code = secret::readable(CODE_LENGTH)?;
    let expires_at = tx.now.plus(CODE_MAX);
    rows::insert(
        tx,
        "insert into enrolment_code (code_hash, name, mode, room_id, expires_at, created_by)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
        params![secret::hash(&code), name, new.mode, new.room, expires_at, tx.by],
    )
    .on_constraint("FOREIGN KEY", no_room)?;
    people::audit::record(tx, "device.code_issued", None, new.mode.word())?;
    let groups: Vec<&str> = [0..4, 4..8, 8..12].into_iter().filter_map(|r| code.get(r)).collect();
    Ok(Code { text: groups.join("-"), expires_at })
}

/// Lets a reader in by its code.
pub fn enrol(tx: &mut Tx<'_>, enrolment: &Enrolment) -> Result<Enrolled> {
    let serial = text::line("serial", &enrolment.serial, NAME_MAX)?;
    let model = text::line("model", &enrolment.model, NAME_MAX)?;
    let firmware = text::line("firmware", &enrolment.firmware, NAME_MAX)?;
    let code = use_code(tx, &enrolment.code)?;
    let key = NewKey::make('R')?;
    let language = house::queries::house(tx)?.language;
    let device = DeviceId(rows::insert(
        tx,
        "insert into device (name, mode, room_id, serial, model, firmware, key_prefix, key_hash,
                             language, last_seen_at, state, enrolled_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'online', ?10)",
        params![
            code.name, code.mode, code.room, serial, model, firmware, key.prefix, key.hash,
            language, tx.now
        ],
    )?);
    health::announce(tx, device)?;
    people::audit::record(tx, "device.enrolled", None, &format!("device:{device}"))?;
    tx.refresh();
    Ok(Enrolled { device, key: key.text, config: queries::config(tx, device)? })
}

/// Changes what a reader is to be. It learns of it with its next heartbeat.
pub fn change(tx: &mut Tx<'_>, id: DeviceId, change: &Change) -> Result<Device> {
    let device = not_revoked(tx, id)?;
    let name = change.name.as_ref().map(|name| text::line("name", name, NAME_MAX)).transpose()?;
    let mode = change.mode.unwrap_or(device.mode);
    let room = change.room.unwrap_or(device.room_id);
    check_room(mode, room)?;
    let buffer_max = change.buffer_max.unwrap_or(device.config.buffer_max);
    if !BUFFER.contains(&buffer_max) {
        return Err(Error::invalid("buffer_max", "must be 100 to 100000"));
    }
    let from = change.daily_checkout_from.unwrap_or(device.config.daily_checkout_from);
    rows::run(
        tx,
        "update device
         set name = ?2, mode = ?3, room_id = ?4, language = ?5, tones = ?6, show_name = ?7,
             daily_checkout_from = ?8, buffer_max = ?9, tag_order = ?10
         where device_id = ?1",
        params![
            id,
            name.unwrap_or(device.name),
            mode,
            room,
            change.language.unwrap_or(device.config.lang),
            change.tones.unwrap_or(device.config.tones),
            change.show_name.unwrap_or(device.config.show_name),
            from.map(TimeOfDay::minutes),
            buffer_max,
            change.tag_order.unwrap_or(device.tag_order),
        ],
    )
    .on_constraint("FOREIGN KEY", no_room)?;
    people::audit::record(tx, "device.changed", None, &format!("device:{id}"))?;
    tx.refresh();
    queries::device(tx, id)
}

/// Ends a reader's key for good. What it has told stays.
pub fn revoke(tx: &mut Tx<'_>, id: DeviceId) -> Result<()> {
    if queries::device(tx, id)?.state == State::Revoked {
        return Ok(());
    }
    rows::run(
        tx,
        "update device
         set state = 'revoked', alarms = '', revoked_at = ?2,
             next_key_prefix = null, next_key_hash = null, next_key_at = null
         where device_id = ?1",
        params![id, tx.now],
    )?;
    rows::run(tx, "delete from device_command where device_id = ?1", params![id])?;
    health::announce(tx, id)?;
    people::audit::record(tx, "device.revoked", None, &format!("device:{id}"))?;
    tx.refresh();
    Ok(())
}

/// Orders a reader to do something; it hears of it with its next heartbeat.
/// The same order twice is one order until it was acknowledged.
pub fn order(tx: &mut Tx<'_>, id: DeviceId, kind: CommandKind) -> Result<Command> {
    not_revoked(tx, id)?;
    let open: Option<CommandId> = rows::maybe(
        tx,
        "select command_id
         from device_command
         where device_id = ?1 and kind = ?2 and acked_at is null",
        params![id, kind],
    )?;
    let command = match open {
        Some(open) => open,
        None => CommandId(rows::insert(
            tx,
            "insert into device_command (device_id, kind, created_at)
             values (?1, ?2, ?3)",
            params![id, kind, tx.now],
        )?),
    };
    people::audit::record(tx, "device.ordered", None, &format!("device:{id} {}", kind.word()))?;
    Ok(Command { id: command, kind, key: None })
}

/// Returns the orders that a reader has not acknowledged, a new key with `roll_key`.
pub(super) fn hand_out(tx: &mut Tx<'_>, id: DeviceId) -> Result<Vec<Command>> {
    let mut open: Vec<Command> = rows::all(
        tx,
        "select command_id, kind
         from device_command
         where device_id = ?1 and acked_at is null
         order by command_id",
        params![id],
    )?;
    if open.is_empty() {
        return Ok(open);
    }
    rows::run(
        tx,
        "update device_command
         set sent_at = ?2
         where device_id = ?1 and acked_at is null and sent_at is null",
        params![id, tx.now],
    )?;
    for command in open.iter_mut().filter(|command| command.kind == CommandKind::RollKey) {
        command.key = Some(next_key(tx, id)?);
    }
    Ok(open)
}

/// Makes a new key, good beside the old one until it is used for the first
/// time, and for a day at the most.
fn next_key(tx: &mut Tx<'_>, id: DeviceId) -> Result<String> {
    let key = NewKey::make('R')?;
    rows::run(
        tx,
        "update device
         set next_key_prefix = ?2, next_key_hash = ?3, next_key_at = ?4
         where device_id = ?1",
        params![id, key.prefix, key.hash, tx.now],
    )?;
    tx.refresh();
    Ok(key.text)
}

/// Lets a new key take the place of the old one, which is worth nothing from now on.
pub fn settle_key(tx: &mut Tx<'_>, id: DeviceId) -> Result<()> {
    let settled = rows::run(
        tx,
        "update device
         set key_prefix = next_key_prefix, key_hash = next_key_hash,
             next_key_prefix = null, next_key_hash = null, next_key_at = null
         where device_id = ?1 and next_key_prefix is not null",
        params![id],
    )?;
    // Another call with the new key has come first.
    if settled == 0 {
        return Ok(());
    }
    rows::run(
        tx,
        "update device_command
         set acked_at = ?2
         where device_id = ?1 and kind = 'roll_key' and acked_at is null and sent_at is not null",
        params![id, tx.now],
    )?;
    people::audit::record(tx, "device.key_rolled", None, &format!("device:{id}"))?;
    tx.refresh();
    Ok(())
}

/// Notes that a reader has done as it was told.
pub fn acknowledge(tx: &mut Tx<'_>, id: DeviceId, command: CommandId) -> Result<()> {
    let touched = rows::run(
        tx,
        "update device_command
         set acked_at = coalesce(acked_at, ?3)
         where device_id = ?1 and command_id = ?2",
        params![id, command, tx.now],
    )?;
    if touched == 0 { Err(Error::NotFound("command")) } else { Ok(()) }
}

/// Returns the number of a badge as a reader sent it, in the order of bytes that
/// the badges of this house have. The order is learned from the first known badge.
pub fn tag(tx: &mut Tx<'_>, id: DeviceId, order: &mut TagOrder, sent: String) -> Result<String> {
    let turned = match order {
        TagOrder::AsSent => return Ok(sent),
        TagOrder::Reversed => return Ok(rules::reversed(&sent)),
        TagOrder::Learn => rules::reversed(&sent),
    };
    let known = if people::queries::badge_by_tag(tx, &sent)?.is_some() {
        TagOrder::AsSent
    } else if people::queries::badge_by_tag(tx, &turned)?.is_some() {
        TagOrder::Reversed
    } else {
        return Ok(sent);
    };
    *order = known;
    rows::run(
        tx,
        "update device
         set tag_order = ?2
         where device_id = ?1",
        params![id, known],
    )?;
    tx.refresh();
    Ok(if known == TagOrder::Reversed { turned } else { sent })
}

/// Forgets codes and orders that concern nobody any more. Returns how many those were.
pub fn prune(tx: &mut Tx<'_>) -> Result<usize> {
    let before = tx.now.minus(KEEP);
    let codes = rows::run(
        tx,
        "delete from enrolment_code
         where expires_at < ?1",
        params![before],
    )?;
    let orders = rows::run(
        tx,
        "delete from device_command
         where acked_at < ?1",
        params![before],
    )?;
    Ok(codes + orders)
}

fn not_revoked(tx: &Tx<'_>, id: DeviceId) -> Result<Device> {
    let device = queries::device(tx, id)?;
    if device.state == State::Revoked {
        return Err(Error::conflict("device.revoked", "this device has been revoked"));
    }
    Ok(device)
}

fn check_room(mode: Mode, room: Option<RoomId>) -> Result<()> {
    if mode == Mode::Room && room.is_none() {
        return Err(Error::invalid("room_id", "a reader of a room needs its room"));
    }
    Ok(())
}

fn no_room() -> Error {
    Error::invalid("room_id", "there is no such room")
}

struct KeptCode {
    name: String,
    mode: Mode,
    room: Option<RoomId>,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
}

/// Takes a code, which is worth nothing from now on.
fn use_code(tx: &Tx<'_>, typed: &str) -> Result<KeptCode> {
    let code: String =
        typed.chars().filter(char::is_ascii_alphanumeric).take(CODE_LENGTH + 1).collect();
    let hash = secret::hash(code.to_ascii_uppercase());
    let kept: Option<KeptCode> = rows::maybe(
        tx,
        "select name, mode, room_id, expires_at, used_at
         from enrolment_code
         where code_hash = ?1",
        params![hash],
    )?;
    let kept = kept.ok_or(Error::Forbidden("device.enroll_code_wrong"))?;
    let gone = |code, detail: &'static str| Err(Error::Gone { code, detail: detail.into() });
    if kept.used_at.is_some() {
        return gone("device.enroll_code_used", "this code has been used");
    }
    if kept.expires_at <= tx.now {
        return gone("device.enroll_code_expired", "the time of this code is over");
    }
    rows::run(
        tx,
        "update enrolment_code
         set used_at = ?2
         where code_hash = ?1",
        params![hash, tx.now],
    )?;
    Ok(kept)
}

impl FromRow for KeptCode {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<KeptCode> {
        Ok(KeptCode {
            name: row.get("name")?,
            mode: row.get("mode")?,
            room: row.get("room_id")?,
            expires_at: row.get("expires_at")?,
            used_at: row.get("used_at")?,
        })
    }
}

impl FromRow for Command {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Command> {
        Ok(Command { id: row.get("command_id")?, kind: row.get("kind")?, key: None })
    }
}
