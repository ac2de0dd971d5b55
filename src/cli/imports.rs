//! `daybook people import`, `imports` and `undo-import`: files of people taken over and taken back,
//! also while the server runs.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::people::at_home;
use super::{Failure, Outcome, Place, say, say_json, say_table};
use crate::base::Actor;
use crate::base::id::ImportId;
use crate::domain::help::leaving;
use crate::domain::people::columns::{IGNORE, Matches, Taken};
use crate::domain::people::table::Fault;
use crate::domain::people::{headings, import};
use crate::domain::rooms::imports;
use crate::domain::rooms::roster::{self, Report};

/// How many bytes a file to be imported may have, as by the API.
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// Take over a file of people as spreadsheets save it (CSV), all or nothing
#[derive(Args)]
#[command(after_help = "Example: daybook people import pupils.csv --dry-run\n\n\
    Columns (German or English): Vorname, Nachname, Schülernummer, Klasse, Gruppe, Rolle, Chip,\n\
    Kontakt, Telefon, Abholberechtigt; others are ignored and said to be. --column matches a column\n\
    that is called otherwise: --column Kind=name --column [C]=phone_2 --column Notiz=ignore. The\n\
    same file again changes nothing. An import can be undone for 24 hours, see daybook people undo-import.")]
pub struct Flags {
    /// The file; - reads the standard input
    file: PathBuf,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// What a column holds whose heading does not say it: `Kind=name`, `[C]=class`, `Notiz=ignore`
    #[arg(long, value_name = "HEADING=FIELD")]
    column: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// List the imports that can be undone
#[derive(Args)]
#[command(after_help = "Example: daybook people imports")]
pub struct ListFlags {
    #[command(flatten)]
    place: Place,
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

/// Undo the newest import of a file, all or nothing
#[derive(Args)]
#[command(after_help = "Example: daybook people undo-import 3\n\n\
    Whom the file made is gone, or inactive if something is known of them since; whom it changed\n\
    is as before, but for what was changed since. Within 24 hours; again, it changes nothing.")]
pub struct UndoFlags {
    /// Which, as daybook people imports lists it
    #[arg(value_name = "ID")]
    import: ImportId,
    #[command(flatten)]
    place: Place,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

/// Takes a file over, or says what that would do.
pub fn take_over(flags: &Flags) -> Outcome {
    let file = read_file(&flags.file)?;
    let dry_run = flags.dry_run;
    let matches = matches(&flags.column)?;
    let report = at_home(&flags.place, async move |app| {
        let import = import::read_as(&file, &matches);
        if dry_run {
            return app.read(move |conn| roster::plan(conn, import)).await;
        }
        app.write(Actor::System, "people.import", move |tx| leaving::take_over(tx, import)).await
    })?;
    if flags.json {
        say_json(&report)?;
    } else {
        say_report(&report);
    }
    match report.errors.len() {
        0 => Ok(()),
        1 => Err(anyhow::anyhow!("1 complaint; nothing was taken over").into()),
        count => Err(anyhow::anyhow!("{count} complaints; nothing was taken over").into()),
    }
}

/// Reads what was said of columns. A heading may hold a `=`, a field does not.
fn matches(said: &[String]) -> Result<Matches, Failure> {
    let mut pairs = Vec::new();
    for column in said {
        let wrong = || Failure::Use(format!("--column {column}: must be HEADING=FIELD"));
        let (name, field) = column.rsplit_once('=').ok_or_else(wrong)?;
        pairs.push((name, field.trim()));
    }
    Matches::read(pairs).map_err(|word| {
        let fields = headings::fields().collect::<Vec<_>>().join(", ");
        Failure::Use(format!("--column: {word:?} is no field; there are {fields} and {IGNORE}"))
    })
}

fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let shown = path.display();
    if path == Path::new("-") {
        std::io::stdin().take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    } else {
        let file = File::open(path).with_context(|| shown.to_string())?;
        file.take(FILE_MAX + 1).read_to_end(&mut bytes).with_context(|| shown.to_string())?;
    }
    if u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_MAX) {
        bail!("{shown}: is longer than {} MiB", FILE_MAX / 1024 / 1024);
    }
    Ok(bytes)
}

fn say_report(report: &Report) {
    let cells = |fault: &Fault| {
        let (column, value) = (fault.column.clone(), fault.value.clone());
        [fault.row.to_string(), column, value, fault.problem.clone()]
    };
    if !report.errors.is_empty() {
        let rows: Vec<_> = report.errors.iter().map(cells).collect();
        say_table(["row", "column", "value", "problem"], &rows);
    }
    if report.dry_run && !report.columns.is_empty() {
        let cells = |column: &Taken| {
            let Taken { letter, heading, field, example } = column.clone();
            [letter, heading, field.unwrap_or_else(|| "not read".to_owned()), example]
        };
        let rows: Vec<_> = report.columns.iter().map(cells).collect();
        say_table(["column", "heading", "taken for", "example"], &rows);
    }
    let Report { new, changed, same, .. } = report;
    let verb = if report.imported { "Taken over" } else { "Found" };
    say(format!("{verb}: {new} new, {changed} changed, {same} the same."));
    if !report.ignored.is_empty() {
        say(format!("Columns not read: {}.", report.ignored.join(", ")));
    }
    if let Some(id) = report.import_id {
        say(format!("To undo it within 24 hours: daybook people undo-import {id}"));
    }
}

/// Lists the imports that can be undone.
pub fn list(flags: &ListFlags) -> Outcome {
    let found = at_home(&flags.place, async move |app| {
        let now = app.clock.now();
        app.read(move |conn| imports::undoable(conn, now)).await
    })?;
    if flags.json {
        return say_json(&found);
    }
    let cells = |import: &imports::Import| {
        let by = import.by_name.clone().unwrap_or_else(|| import.by.clone());
        let (new, changed) = (import.new.to_string(), import.changed.to_string());
        [import.id.to_string(), import.at.to_string(), by, new, changed]
    };
    let rows: Vec<_> = found.iter().map(cells).collect();
    say_table(["id", "at", "by", "new", "changed"], &rows);
    Ok(())
}

/// Undoes an import.
pub fn undo(flags: &UndoFlags) -> Outcome {
    let id = flags.import;
    let undone = at_home(&flags.place, async move |app| {
        app.write(Actor::System, "people.undo_import", move |tx| leaving::undo_import(tx, id)).await
    })?;
    if flags.json {
        return say_json(&undone);
    }
    let (gone, inactive) = (undone.gone, undone.inactive);
    let (restored, kept) = (undone.restored, undone.kept);
    say(format!("Undone: {gone} gone, {inactive} inactive, {restored} as before, {kept} kept."));
    if inactive + kept > 0 {
        say("Inactive are those of whom something is known since; kept is what was changed since.");
    }
    Ok(())
}
