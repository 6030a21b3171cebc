//! The prompt: statements are typed over several lines, up to a semicolon; commands on one line. Tab
//! completes, history is kept in the user's state folder.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Config, Editor};
use tagmill_schemas::{Error, Result};

use super::completion::{Completion, Values};
use super::damage::name_damaged;
use super::parts::is_whole;
use super::print::Printing;
use super::session::Session;
use super::statements::run_text;

/// Rows of a table that a prompt shows when it is not told otherwise.
pub(super) const MOST_ROWS: usize = 40;

type Line = Editor<Completion, DefaultHistory>;

/// Reads statements until the person quits.
///
/// # Errors
/// Setup when the terminal can not be read.
pub(super) async fn prompt(session: &Session, printing: Printing) -> Result<()> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .build();
    let mut editor = Line::with_config(config).map_err(ended)?;
    let history = state_folder().map(|folder| folder.join("sql_history"));
    if let Some(history) = &history {
        // No history yet.
        let _ = editor.load_history(history);
    }
    let values = Values::read(session);
    loop {
        editor.set_helper(Some(Completion::new(session, &values).await));
        let Some(text) = read(&mut editor)? else {
            break;
        };
        let _ = editor.add_history_entry(&text);
        match run_text(session, &text, printing).await {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => break,
            Err(error) => {
                let error = name_damaged(error, &session.access).await;
                crate::logging::plain(&format!("error: {error}"));
            }
        }
    }
    if let Some(history) = &history {
        // A state folder that can not be written: the prompt works without.
        let _ = history.parent().map(fs::create_dir_all);
        let _ = editor.save_history(history);
    }
    Ok(())
}

/// One statement or one command; `None` at the end of the input.
fn read(editor: &mut Line) -> Result<Option<String>> {
    let mut text = String::new();
    loop {
        let prompt = if text.is_empty() { "> " } else { "- " };
        match editor.readline(prompt) {
            Ok(line) => {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&line);
                if is_whole(&text) {
                    return Ok(Some(text));
                }
            }
            // What was typed so far is thrown away.
            Err(ReadlineError::Interrupted) => text.clear(),
            Err(ReadlineError::Eof) => return Ok(None),
            Err(error) => return Err(ended(error)),
        }
    }
}

fn ended(error: ReadlineError) -> Error {
    Error::setup("sql", "the prompt ended").because(error)
}

/// `$XDG_STATE_HOME/tagmill`, or `~/.local/state/tagmill`.
fn state_folder() -> Option<PathBuf> {
    let from = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    from("XDG_STATE_HOME")
        .or_else(|| from("HOME").map(|home| home.join(".local/state")))
        .map(|folder| folder.join("tagmill"))
}
