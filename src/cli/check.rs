//! `daybook check`: settings, directory, the running server, database, disk, clock and limits.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use rustix::process::{Resource, getrlimit};
use serde::{Deserialize, Serialize};

use super::{Failure, Outcome, Place, say_json, say_table};
use crate::base::{Clock, Timestamp};
use crate::client::Client;
use crate::config::Config;
use crate::domain::people::audit;
use crate::http::findings::{self, Level};
use crate::store::directory::{self, Contact, DATABASE, Directory};
use crate::store::{backup, log};

/// With less disk than this the house will soon stop writing.
const DISK_LOW_MIB: u64 = 1024;

/// With less disk than this it is a matter of hours.
const DISK_MIN_MIB: u64 = 100;

/// Descriptors beside connections: database, log, runtime.
const DESCRIPTORS_SPARE: u64 = 256;

/// How long a running server may take to say how it is.
const SERVER_ANSWERS: Duration = Duration::from_secs(5);

/// When this program was younger than it is: a clock before it is wrong.
const CLOCK_MIN: Timestamp = Timestamp(1_793_491_200_000);

/// Look at settings, database, disk, clock and limits, and say what is not well
#[derive(Args)]
#[command(after_help = "Example: daybook check --full\n\n\
    Exit code 1 when something must be done.")]
pub struct Flags {
    #[command(flatten)]
    place: Place,
    /// Only show every setting, with its unit and source
    #[arg(long)]
    config: bool,
    /// Prove the whole database, page by page, and the seals of the audit
    #[arg(long)]
    full: bool,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// What was found of one thing.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    state: State,
    says: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warn,
    Fail,
}

/// Prints what was found.
pub fn run(flags: &Flags) -> Outcome {
    let config = flags.place.config()?;
    if flags.config {
        return show_settings(&config, flags.json);
    }
    let findings = findings(&config, flags.full);
    let failed = findings.iter().filter(|found| found.state == State::Fail).count();
    if flags.json {
        say_json(&findings)?;
    } else {
        let row = |found: &Finding| {
            let state = match found.state {
                State::Ok => "ok",
                State::Warn => "warn",
                State::Fail => "FAIL",
            };
            [found.what.clone(), state.to_owned(), found.says.clone()]
        };
        say_table(["WHAT", "STATE", ""], &findings.iter().map(row).collect::<Vec<_>>());
    }
    match failed {
        0 => Ok(()),
        n => Err(Failure::Failed(anyhow::anyhow!("{n} of {} checks failed", findings.len()))),
    }
}

fn findings(config: &Config, full: bool) -> Vec<Finding> {
    let mut findings = vec![finding("directory", check_directory(config))];
    // In a directory that is not ours even a look would leave files behind.
    if findings.iter().all(|found| found.state == State::Ok) {
        findings.extend(check_server(config));
        findings.push(finding("database", check_database(config, full)));
        if full {
            findings.push(finding("audit", check_audit(config)));
        }
        findings.push(finding("disk", check_disk(config)));
        findings.push(finding("clock", check_clock(config)));
    }
    findings.push(finding("limits", check_limits(config)));
    findings
}

fn show_settings(config: &Config, json: bool) -> Outcome {
    if json {
        return say_json(&config.given);
    }
    let rows = config
        .given
        .iter()
        .map(|g| [g.name.to_owned(), g.value.clone(), g.unit.to_owned(), g.source.clone()]);
    say_table(["SETTING", "VALUE", "UNIT", "SOURCE"], &rows.collect::<Vec<_>>());
    Ok(())
}

/// A check's answer: what is well, or what is not and can wait, or an error.
fn finding(what: &'static str, checked: Result<(State, String)>) -> Finding {
    match checked {
        Ok((state, says)) => Finding { what: what.to_owned(), state, says },
        Err(e) => Finding { what: what.to_owned(), state: State::Fail, says: format!("{e:#}") },
    }
}

fn check_directory(config: &Config) -> Result<(State, String)> {
    directory::inspect(&config.data)?;
    Ok((State::Ok, format!("{}, for its owner alone", config.data.display())))
}

/// What runs on the directory and, when that can be asked, how it is in its own words.
fn check_server(config: &Config) -> Vec<Finding> {
    let work = match Directory::master(&config.data) {
        Ok(Some(work)) => work,
        Ok(None) => return vec![finding("server", Ok((State::Warn, "is not running".to_owned())))],
        Err(e) => return vec![finding("server", Err(e))],
    };
    let running = Ok((State::Ok, format!("'daybook {work}' is running")));
    let contact = Directory::contact(&config.data).filter(|_| work == directory::SERVE);
    let Some(contact) = contact else { return vec![finding("server", running)] };
    match ask(&contact) {
        Ok(found) => {
            let found = found.into_iter().map(Finding::from);
            std::iter::once(finding("server", running)).chain(found).collect()
        }
        Err(e) => vec![finding("server", Err(e))],
    }
}

/// Asks a running server how it is.
fn ask(contact: &Contact) -> Result<Vec<findings::Finding>> {
    let asked = || format!("the server at {} does not say how it is", contact.address);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let key = format!("Bearer {}", contact.key);
    let client = Client::new(contact.address).with("authorization", key);
    let answer = runtime.block_on(async {
        tokio::time::timeout(SERVER_ANSWERS, client.get("/api/v1/health")).await
    });
    let answer = answer.with_context(asked)?.with_context(asked)?;
    ensure!(answer.status == 200, "{}: status {}", asked(), answer.status);
    let Report { findings } = serde_json::from_slice(&answer.body).with_context(asked)?;
    Ok(findings)
}

/// What is read of a server's report.
#[derive(Deserialize)]
struct Report {
    findings: Vec<findings::Finding>,
}

impl From<findings::Finding> for Finding {
    fn from(found: findings::Finding) -> Finding {
        let state = match found.level {
            Level::Ok => State::Ok,
            Level::Warn => State::Warn,
            Level::Fail => State::Fail,
        };
        let what = found.code.split('.').next().unwrap_or_default().to_owned();
        Finding { what, state, says: found.text }
    }
}

fn check_database(config: &Config, full: bool) -> Result<(State, String)> {
    let path = config.data.join(DATABASE);
    log::require_own(&path)?;
    let (found, proof) = if full {
        (backup::inspect(&path)?, "every page is sound")
    } else {
        (backup::glance(&path)?, "--full proves every page")
    };
    let says = format!(
        "schema {}, {} people, {} events, {} MiB; {proof}",
        found.schema,
        found.people,
        found.events,
        found.bytes / 1024 / 1024
    );
    Ok((State::Ok, says))
}

/// No line of the audit was taken out or altered.
fn check_audit(config: &Config) -> Result<(State, String)> {
    let conn = backup::open_to_read(&config.data.join(DATABASE))?;
    match audit::broken_seal(&conn)? {
        None => Ok((State::Ok, "every line is sealed over the one before it".to_owned())),
        Some(line) => bail!("line {line} or the one before it was altered, or taken out"),
    }
}

fn check_disk(config: &Config) -> Result<(State, String)> {
    let disk = rustix::fs::statvfs(&config.data)?;
    let free_mib = disk.f_bavail.saturating_mul(disk.f_frsize) / 1024 / 1024;
    ensure!(free_mib >= DISK_MIN_MIB, "{free_mib} MiB free: writing will stop soon");
    let state = if free_mib < DISK_LOW_MIB { State::Warn } else { State::Ok };
    Ok((state, format!("{free_mib} MiB free")))
}

/// The clock is not behind this program, nor behind what it has logged.
fn check_clock(config: &Config) -> Result<(State, String)> {
    let now = Clock::System.now();
    if now < CLOCK_MIN {
        bail!("{now} is before this program was made");
    }
    let newest = backup::glance(&config.data.join(DATABASE)).ok().and_then(|s| s.newest_event_at);
    if let Some(newest) = newest.map(Timestamp)
        && newest > now
    {
        bail!("{now} is before the newest event ({newest}): the clock went back");
    }
    Ok((State::Ok, now.to_string()))
}

fn check_limits(config: &Config) -> Result<(State, String)> {
    // The server raises its own limit as far as it may.
    let Some(allowed) = getrlimit(Resource::Nofile).maximum else {
        return Ok((State::Ok, "any number of open files".to_owned()));
    };
    let wanted = config.connections_max as u64 + DESCRIPTORS_SPARE;
    let says = format!("{allowed} open files; connections_max wants {wanted}");
    Ok((if allowed < wanted { State::Warn } else { State::Ok }, says))
}
