//! How long visits are kept: whose they were is forgotten in time, how many
//! there were is not.

use std::time::Duration;

use rusqlite::params;

use crate::base::{Result, Timestamp};
use crate::domain::house;
use crate::live::Tx;
use crate::store::rows;

/// How long the reason of an absence is kept at the most, however long visits are: it may tell of an
/// illness, and the day's status says all that is asked for later.
pub const REASONS_KEPT: Duration = Duration::from_hours(30 * 24);

/// Forgets the reasons that were noted on the days before `moment`.
pub fn prune_reasons(tx: &mut Tx<'_>, moment: Timestamp) -> Result<()> {
    let house = house::queries::house(tx)?;
    let day = house.day(moment);
    rows::run(
        tx,
        "update attendance
         set reason = null
         where day < ?1 and reason is not null",
        params![day],
    )?;
    rows::run(
        tx,
        "update visit
         set reason_before = null
         where started_at < ?1 and reason_before is not null",
        params![day.at_minute(0, &house.time_zone())],
    )?;
    Ok(())
}

/// Forgets the attendance and the visits of the days before `moment`. What is
/// left of each day are sums.
pub fn prune(tx: &mut Tx<'_>, moment: Timestamp) -> Result<()> {
    let house = house::queries::house(tx)?;
    let day = house.day(moment);
    let begins = day.at_minute(0, &house.time_zone());
    rows::run(
        tx,
        "insert into day_total (day, arrived, late, excused, unreported, visits)
         select day, count(arrived_at), sum(late), sum(status = 'excused'),
                sum(status = 'unreported'), 0
         from attendance
         join person using (person_id)
         where day < ?1 and role = 'member'
         group by day
         on conflict do nothing",
        params![day],
    )?;
    add_visits(tx, begins)?;
    // A visit that is kept may name the one before it.
    rows::run(
        tx,
        "update visit
         set from_visit_id = null
         where from_visit_id in (select visit_id
                                 from visit
                                 where started_at < ?1 and ended_at is not null)",
        params![begins],
    )?;
    rows::run(
        tx,
        "update visit
         set earlier_visit_id = null
         where earlier_visit_id in (select visit_id
                                    from visit
                                    where started_at < ?1 and ended_at is not null)",
        params![begins],
    )?;
    rows::run(tx, "delete from visit where started_at < ?1 and ended_at is not null", [begins])?;
    rows::run(tx, "delete from attendance where day < ?1", params![day])?;
    Ok(())
}

/// Forgets the scans up to the first that came in at `moment` or later, and their reviews.
pub fn prune_scans(tx: &mut Tx<'_>, moment: Timestamp) -> Result<()> {
    let first_kept: Option<i64> = rows::maybe(
        tx,
        "select scan_number
         from scan
         where received_at >= ?1
         order by scan_number
         limit 1",
        params![moment],
    )?;
    let first_kept = first_kept.unwrap_or(i64::MAX);
    rows::run(
        tx,
        "delete from scan_review
         where (device_id, scan_id) in (
             select device_id, scan_id
             from scan
             where scan_number < ?1)",
        params![first_kept],
    )?;
    rows::run(tx, "delete from last_scan where scan_number < ?1", params![first_kept])?;
    rows::run(tx, "delete from last_unknown_scan where scan_number < ?1", params![first_kept])?;
    rows::run(tx, "delete from scan where scan_number < ?1", params![first_kept])?;
    Ok(())
}

/// Adds the visits of before `begins` to the sums of their days; undone ones never were. A day is
/// local, so each visit's is computed here and not in SQL.
fn add_visits(tx: &Tx<'_>, begins: Timestamp) -> Result<()> {
    let zone = house::queries::house(tx)?.time_zone();
    let starts: Vec<Timestamp> = rows::all(
        tx,
        "select started_at
         from visit
         where started_at < ?1 and ended_at is not null and end_reason <> 'undone'",
        params![begins],
    )?;
    let mut counts = std::collections::BTreeMap::new();
    for start in starts {
        *counts.entry(start.day(&zone)).or_insert(0_i64) += 1;
    }
    for (day, visits) in counts {
        rows::run(
            tx,
            "update day_total
             set visits = visits + ?2
             where day = ?1",
            params![day, visits],
        )?;
    }
    Ok(())
}
