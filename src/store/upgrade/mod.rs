//! The way from an older schema to this one: numbered steps, each with its SQL file.
//!
//! A step never changes once it was released, and `schema.sql` is what all of them make (a test
//! holds them equal). All steps that are missing run in one transaction, so that a crash leaves
//! the old state or the new one; before that the old database is copied beside itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;

use super::backup;

/// The steps; the first makes the tables of the first release.
pub const STEPS: &[&str] = &[include_str!("0001_first.sql")];

/// The schema's number after all steps, kept in `PRAGMA user_version`.
pub const SCHEMA_VERSION: i64 = STEPS.len() as i64;

/// Brings the database at `path` to this program's schema; returns the copy made before, if any
/// step was missing.
pub fn run(conn: &mut Connection, path: &Path) -> Result<Option<PathBuf>> {
    let version: i64 = conn.query_row("pragma user_version", [], |row| row.get(0))?;
    ensure!(
        version <= SCHEMA_VERSION,
        "{}: is of a newer Daybook (schema {version}, this one knows {SCHEMA_VERSION}); \
         install that one, or restore a backup of this one",
        path.display()
    );
    require_tables(conn, version)?;
    if version == SCHEMA_VERSION {
        return Ok(None);
    }
    let copy = keep_a_copy(path)?;
    apply(conn, STEPS, version).context("the upgrade was undone; the database is as it was")?;
    Ok(Some(copy))
}

/// Copies the database beside itself as it is now. A copy of before is replaced: it is of an
/// upgrade that was undone, or that the house has gone back from and gone on without.
pub fn keep_a_copy(path: &Path) -> Result<PathBuf> {
    let copy = backup::sibling(path, &format!("before-schema-{SCHEMA_VERSION}"));
    if copy.exists() {
        fs::remove_file(&copy).with_context(|| copy.display().to_string())?;
    }
    backup::make(path, &copy, |_, _| ())?;
    Ok(copy)
}

/// Refuses a database without the tables that the steps up to `version` make. Until the first
/// release its step is changed in place, so that the number alone does not say which they are.
/// Other tables beside them are nobody's business.
pub fn require_tables(conn: &Connection, version: i64) -> Result<()> {
    let mut made = Connection::open_in_memory()?;
    apply(&mut made, STEPS.get(..usize::try_from(version)?).unwrap_or(STEPS), 0)?;
    let found = tables(conn)?;
    for (table, columns) in tables(&made)? {
        ensure!(
            found.get(&table) == Some(&columns),
            "the table '{table}' is missing or is not that of schema {version}: a build from \
             before the first release made this database, and no upgrade leads from there; go on \
             with that build, or make a new house with 'daybook init' in an empty directory"
        );
    }
    Ok(())
}

/// Returns the columns of each table with their types; their order does not matter.
fn tables(conn: &Connection) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut statement = conn.prepare(
        "select tables.name, format('%s %s %d', columns.name, columns.type, \"notnull\")
         from sqlite_schema as tables
         join pragma_table_info(tables.name) as columns
         where tables.type = 'table'",
    )?;
    let mut tables = BTreeMap::<String, BTreeSet<String>>::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        tables.entry(row.get(0)?).or_default().insert(row.get(1)?);
    }
    Ok(tables)
}

/// Runs the steps after `version` in one transaction.
pub fn apply(conn: &mut Connection, steps: &[&str], version: i64) -> Result<()> {
    // Tables are rebuilt by some changes; references are checked at the end instead.
    conn.execute_batch("pragma foreign_keys = off")?;
    let tx = conn.transaction()?;
    for step in steps.iter().skip(usize::try_from(version)?) {
        tx.execute_batch(step)?;
    }
    let orphans: i64 =
        tx.query_row("select count(*) from pragma_foreign_key_check", [], |row| row.get(0))?;
    ensure!(orphans == 0, "{orphans} rows point at nothing");
    tx.pragma_update(None, "user_version", i64::try_from(steps.len())?)?;
    tx.commit()?;
    conn.execute_batch("pragma foreign_keys = on")?;
    Ok(())
}
