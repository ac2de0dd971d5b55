//! The command line: one file a verb. Every verb answers with exit code 0 (done), 1 (failed) or
//! 2 (wrong use), says what is wrong in one line, and prints JSON where it prints data.

pub mod backup;
pub mod check;
pub mod demo;
pub mod devices;
pub mod imports;
pub mod init;
pub mod openapi;
pub mod people;
pub mod restore;
pub mod routes;
pub mod serve;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::app::App;
use crate::base::Clock;
use crate::config::{Config, Sources};

/// The live day book of a house: who is here, where, with whom, and who needs help.
#[derive(Parser)]
#[command(name = "daybook", version, about, max_term_width = 100)]
#[command(after_help = "Example: daybook demo\n\nExit codes: 0 done, 1 failed, 2 wrong use.")]
struct Line {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Serve(serve::Flags),
    People(people::Flags),
    Demo(demo::Flags),
    Devices(devices::Flags),
    Init(init::Flags),
    Backup(backup::Flags),
    Restore(restore::Flags),
    Check(check::Flags),
    Openapi(openapi::Flags),
    Routes(routes::Flags),
}

/// Why a verb did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// It was asked wrongly: exit code 2.
    Use(String),
    /// It could not be done: exit code 1.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Failed(error.into())
    }
}

/// What a verb answers.
pub type Outcome = Result<(), Failure>;

/// Where the house is: the flags that every verb with data takes.
#[derive(Args, Clone, Debug, Default)]
pub struct Place {
    /// The data directory [default: $DAYBOOK_DATA or /var/lib/daybook]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The settings' file [default: daybook.toml in the data directory]
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Any setting, over file and environment; see `daybook check --config`
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

impl Place {
    /// Returns the layers of settings that the process was given, with flags of the verb's own.
    pub fn sources(&self, more: &[(&str, Option<String>)]) -> Result<Sources, Failure> {
        let (mut set, mut flags) = (BTreeMap::new(), BTreeMap::new());
        for (name, path) in [("data", &self.data), ("settings", &self.settings)] {
            if let Some(path) = path {
                let path = path.to_str().ok_or_else(|| wrong_use("a path must be UTF-8"))?;
                flags.insert(name.to_owned(), path.to_owned());
            }
        }
        for setting in &self.set {
            let (name, value) = setting
                .split_once('=')
                .ok_or_else(|| wrong_use(format!("--set {setting}: must be NAME=VALUE")))?;
            set.insert(name.trim().replace('-', "_"), value.to_owned());
        }
        for (name, value) in more {
            if let Some(value) = value {
                flags.insert((*name).to_owned(), value.clone());
            }
        }
        Ok(Sources::of_process(set, flags))
    }

    /// Returns the settings, checked; a wrong one is wrong use.
    pub fn config(&self) -> Result<Config, Failure> {
        load(&self.sources(&[])?)
    }
}

/// Returns the settings of `sources`; a wrong one is wrong use.
pub fn load(sources: &Sources) -> Result<Config, Failure> {
    Config::load(sources).map_err(|e| Failure::Use(format!("{e:#}")))
}

/// Runs `work` on the house of these settings without serving it; the caller holds its directory.
pub fn console<T>(
    config: Config,
    work: impl AsyncFnOnce(&App) -> crate::base::Result<T>,
) -> Result<T, Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let (app, threads) = App::open(config, Clock::System)?;
        let done = work(&app).await;
        drop(app);
        threads.join();
        Ok(done?)
    })
}

/// Returns the failure of a call that cannot mean anything.
pub fn wrong_use(problem: impl Into<String>) -> Failure {
    Failure::Use(problem.into())
}

/// Runs the command line and returns its exit code.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let line = match Line::try_parse_from(arguments) {
        Ok(line) => line,
        // Help and version come here too; clap knows which code is whose.
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2));
        }
    };
    let outcome = match line.verb {
        Verb::Serve(flags) => serve::run(&flags),
        Verb::People(flags) => people::run(&flags),
        Verb::Demo(flags) => demo::run(&flags),
        Verb::Devices(flags) => devices::run(&flags),
        Verb::Init(flags) => init::run(&flags),
        Verb::Backup(flags) => backup::run(&flags),
        Verb::Restore(flags) => restore::run(&flags),
        Verb::Check(flags) => check::run(&flags),
        Verb::Openapi(flags) => openapi::run(&flags),
        Verb::Routes(flags) => routes::run(&flags),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Use(problem)) => {
            complain(&problem);
            ExitCode::from(2)
        }
        Err(Failure::Failed(error)) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints a line of the answer. That nobody reads it any more (`| head`) is no failure.
pub fn say(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout(), "{}", line.as_ref());
}

/// Prints an answer as JSON, on one line into a pipe and laid out on a terminal.
pub fn say_json(answer: &impl serde::Serialize) -> Outcome {
    let text = if std::io::stdout().is_terminal() {
        serde_json::to_string_pretty(answer)?
    } else {
        serde_json::to_string(answer)?
    };
    say(text);
    Ok(())
}

/// Prints rows in columns as wide as they need to be.
pub fn say_table<const N: usize>(head: [&str; N], rows: &[[String; N]]) {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let head = head.map(str::to_owned);
    for row in std::iter::once(&head).chain(rows) {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        say(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// Shows how far a long work is, on a terminal; into a pipe it says nothing.
pub fn show_progress(what: &str, done: u64, all: u64) {
    let mut out = std::io::stderr();
    if out.is_terminal() && all > 0 {
        let end = if done >= all { "\n" } else { "" };
        let _ = write!(out, "\r{what} {:3} %{end}", done.saturating_mul(100) / all);
    }
}

/// Shows how many of all pages of a database are copied.
pub fn show_copied(done: i32, all: i32) {
    show_progress("copied", u64::try_from(done).unwrap_or(0), u64::try_from(all).unwrap_or(0));
}

fn complain(problem: &str) {
    let _ = writeln!(std::io::stderr(), "daybook: {}", problem.replace('\n', " "));
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound_and_every_verb_shows_an_example() {
        Line::command().debug_assert();
        let line = Line::command();
        let mut verbs: Vec<_> = line.get_subcommands().collect();
        while let Some(verb) = verbs.pop() {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Example"), "{}: {help:?}", verb.get_name());
            assert!(verb.get_about().is_some(), "{} says nothing about itself", verb.get_name());
            verbs.extend(verb.get_subcommands());
        }
    }
}
