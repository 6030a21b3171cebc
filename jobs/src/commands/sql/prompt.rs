//! The prompt: statements are typed over several lines, up to a semicolon; what begins with a
//! backslash is a command of the prompt.

use std::fs;
use std::path::PathBuf;

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use tagmill_schemas::{Error, Result};

use super::damage::name_damaged;
use super::failed;
use super::print::PrintFormat;
use super::session::Session;
use super::statements::run_text;

/// Rows of a table that a prompt shows.
const MOST_ROWS: usize = 40;

const HELP: &str = "\
\\d          tables and views        \\d NAME   columns of one
\\h          functions               \\h NAME   what one does
\\q          quits, as do exit, quit and Ctrl-D
A statement ends with a semicolon.";

/// Reads statements until the person quits.
///
/// # Errors
/// Setup when the terminal can not be read.
pub(super) async fn prompt(session: &Session, format: PrintFormat) -> Result<()> {
    let mut editor = DefaultEditor::new().map_err(ended)?;
    let history = state_folder().map(|folder| folder.join("sql_history"));
    if let Some(history) = &history {
        // No history yet.
        let _ = editor.load_history(history);
    }
    loop {
        let Some(text) = read(&mut editor)? else {
            break;
        };
        let _ = editor.add_history_entry(&text);
        match text.trim().trim_end_matches(';').trim() {
            "" => {}
            "\\q" | "exit" | "quit" => break,
            "\\?" | "help" => println!("{HELP}"),
            command => {
                let sql = backslash(command).unwrap_or_else(|| text.clone());
                if let Err(error) = run_text(session, &sql, format, MOST_ROWS).await {
                    let error = name_damaged(failed(error), &session.access).await;
                    crate::logging::plain(&error.to_string());
                }
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
fn read(editor: &mut DefaultEditor) -> Result<Option<String>> {
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

/// Whether nothing more is expected.
fn is_whole(text: &str) -> bool {
    let text = text.trim();
    let is_command = text.starts_with('\\') || matches!(text, "exit" | "quit" | "help");
    text.is_empty() || is_command || text.ends_with(';')
}

/// The statement that a command of the prompt stands for.
fn backslash(command: &str) -> Option<String> {
    let (name, argument) = command
        .split_once(char::is_whitespace)
        .unwrap_or((command, ""));
    let argument = argument.trim();
    let text = argument.replace('\'', "''");
    match (name, argument.is_empty()) {
        ("\\d", true) => Some("SHOW TABLES".to_owned()),
        ("\\d", false) => Some(format!("DESCRIBE {argument}")),
        ("\\h", true) => Some(
            "SELECT DISTINCT routine_name, function_type FROM information_schema.routines \
             ORDER BY routine_name"
                .to_owned(),
        ),
        ("\\h", false) => Some(format!(
            "SELECT DISTINCT routine_name, syntax_example, description \
             FROM information_schema.routines WHERE routine_name LIKE '{text}' \
             ORDER BY routine_name"
        )),
        _ => None,
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
