//! Log lines on standard error, as text or as one JSON object each, without tearing a progress bar
//! apart.

use std::io::{self, Write};
use std::panic;
use std::sync::{Mutex, OnceLock, PoisonError};

use chrono::{SecondsFormat, Utc};
use indicatif::MultiProgress;
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde_json::json;
use tagmill_schemas::outside::Shown;

use crate::global::LogFormat;

/// The level of tagmill's own lines: error, warn, info, debug or trace; `info` when not set.
const LEVEL_VARIABLE: &str = "TAGMILL_LOG";

static LOGGER: OnceLock<Logger> = OnceLock::new();

struct Logger {
    format: LogFormat,
    own: LevelFilter,
    bars: MultiProgress,
}

/// Starts logging; later calls change nothing.
pub fn start(format: LogFormat, is_quiet: bool) {
    let asked = std::env::var(LEVEL_VARIABLE)
        .ok()
        .and_then(|level| level.parse().ok());
    let own = asked.unwrap_or(if is_quiet {
        LevelFilter::Warn
    } else {
        LevelFilter::Info
    });
    let logger = LOGGER.get_or_init(|| Logger {
        format,
        own,
        bars: MultiProgress::new(),
    });
    if log::set_logger(logger).is_ok() {
        log::set_max_level(own);
    }
}

/// What the newest panic said, and where.
static DEFECT: Mutex<Option<String>> = Mutex::new(None);

/// From now on a panic is kept for the sentence that a command ends with: where a decoder's is caught
/// and a damaged file named, nobody is shown a trace. `RUST_BACKTRACE` shows it as well.
pub fn keep_panics() {
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            default(info);
        }
        let text = Shown(&info.to_string()).to_string();
        log::debug!("{text}");
        *DEFECT.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }));
}

/// What the newest panic said.
pub fn newest_panic() -> String {
    let newest = DEFECT.lock().unwrap_or_else(PoisonError::into_inner);
    newest.clone().unwrap_or_default()
}

/// The format that the arguments ask for, found without parsing them: they may be what is wrong.
pub fn asked_for(arguments: impl IntoIterator<Item = String>) -> LogFormat {
    let arguments: Vec<String> = arguments.into_iter().collect();
    let is_json = arguments.windows(2).any(|pair| pair == ["--log", "json"])
        || arguments.iter().any(|argument| argument == "--log=json");
    if is_json {
        LogFormat::Json
    } else {
        LogFormat::Text
    }
}

/// The bars that log lines must not tear apart.
pub fn bars() -> Option<&'static MultiProgress> {
    LOGGER.get().map(|logger| &logger.bars)
}

/// Text for people only: nothing in JSON logs.
pub fn plain(text: &str) {
    if LOGGER
        .get()
        .is_none_or(|logger| logger.format == LogFormat::Text)
        && !text.is_empty()
    {
        write(text);
    }
}

/// What a person should know of an answer: a line that starts with `note:`, a warning in JSON logs.
pub fn note(text: &str) {
    match LOGGER.get().map(|logger| logger.format) {
        Some(LogFormat::Json) => log::warn!("{text}"),
        _ => write(&Shown(&format!("note: {text}")).to_string()),
    }
}

/// The sentence an unsuccessful command ends with.
pub fn last(sentence: &str, stage: &str, code: u8, can_retry: bool) {
    match LOGGER.get().map(|logger| logger.format) {
        Some(LogFormat::Json) => {
            write(&json!({"time": now(), "level": "error", "stage": stage, "message": sentence, "exit": code, "retry": can_retry}).to_string());
        }
        _ => write(&format!("error: {sentence}")),
    }
}

/// DataFusion warns of every column by which it can not prune files. Nothing is wrong then: rows are
/// filtered all the same.
const PRUNING: &str = "datafusion_common::pruning";

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.target().starts_with(PRUNING) && self.own <= LevelFilter::Info {
            return false;
        }
        let is_own = metadata.target().starts_with("tagmill");
        metadata.level()
            <= if is_own {
                self.own
            } else {
                self.own.min(LevelFilter::Warn)
            }
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // Names and values in it come from data.
        let text = record.args().to_string();
        let message = Shown(&text);
        let line = match self.format {
            LogFormat::Json => {
                json!({"time": now(), "level": name(record.level()), "target": record.target(), "message": message.to_string()}).to_string()
            }
            LogFormat::Text => format!("{} {:<5} {message}", now(), name(record.level())),
        };
        self.bars.suspend(|| write(&line));
    }

    fn flush(&self) {}
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    }
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A closed standard error is nowhere to complain.
fn write(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
