//! `tagmill sql` for a person: the prompt and its commands, how bitmaps are shown, what is said of a
//! statement that is wrong, and a session where no warehouse is.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::process::{Done, done, run, tagmill};
use crate::warehouse::published;

/// What `tagmill sql` says to these arguments.
fn sql(folder: &Path, arguments: &[&str]) -> Done {
    run(folder, &[&["sql"], arguments].concat())
}

fn piped(folder: &Path, arguments: &[&str], text: &str) -> Done {
    let mut process = tagmill(folder)
        .arg("sql")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    done(process.wait_with_output().unwrap())
}

#[test]
fn without_a_configuration_there_are_functions_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let copy = "COPY (SELECT bitmap_from_array([1, 2, 5]) AS b) TO 'sets.parquet'";
    assert_eq!(sql(folder.path(), &["-c", copy]).code, Some(0));
    let read = sql(folder.path(), &["-c", "SELECT b FROM 'sets.parquet'"]);
    assert_eq!((read.code, read.err.as_str()), (Some(0), ""), "{read:?}");
    assert!(read.out.contains("| <3 values> |"), "{}", read.out);
    let no_tables = sql(
        folder.path(),
        &["--format", "csv", "-c", "SELECT * FROM users"],
    );
    assert_eq!(no_tables.code, Some(2));
    assert!(no_tables.last_error().contains("found no table users"));
    // Whoever names a configuration or a release means one.
    for arguments in [
        &["--config", "none.toml", "-c", "SELECT 1"][..],
        &["--release", "current", "-c", "SELECT 1"],
        &["--date", "2026-11-19", "-c", "SELECT 1"],
    ] {
        let done = sql(folder.path(), arguments);
        assert_eq!(done.code, Some(2), "{arguments:?}: {done:?}");
        assert!(done.last_error().contains("--config FILE"), "{done:?}");
    }
}

#[test]
fn a_table_shows_how_many_a_bitmap_has_and_other_formats_its_bytes() {
    let folder = published();
    let query = "SELECT bitmap, bitmap_to_array(bitmap_from_array([7])) AS list, [bitmap] AS sets \
                 FROM tags_string WHERE app = 'shop' AND tag = 'gender' AND value = 'F' AND shard = 1";
    let table = sql(folder.path(), &["-c", query]);
    assert!(table.out.contains("<100 users>"), "{}", table.out);
    assert!(table.out.contains("[<100 users>]"), "{}", table.out);
    let csv = sql(folder.path(), &["--format", "csv", "-c", query]);
    let row = csv.out.lines().nth(1).unwrap();
    let (bytes, rest) = row.split_once(',').unwrap();
    assert!(bytes.starts_with("0100000000000000"), "{row}");
    assert_eq!(rest, format!("[7],[{bytes}]"));
    let json = sql(folder.path(), &["--format", "ndjson", "-c", query]);
    assert!(
        json.out.contains(&format!("\"bitmap\":\"{bytes}\"")),
        "{}",
        json.out
    );
    let other = sql(
        folder.path(),
        &[
            "-c",
            "SELECT X'CAFE' AS a, decode(repeat('00', 99), 'hex') AS b",
        ],
    );
    assert!(other.out.contains("| cafe |"), "{}", other.out);
    assert!(
        other.out.contains("00000000... (99 bytes)"),
        "{}",
        other.out
    );
}

#[test]
fn commands_of_the_prompt_work_in_arguments_and_piped_text() {
    let folder = published();
    let tables = sql(folder.path(), &["--format", "csv", "-c", "\\d"]);
    assert!(tables.out.contains("\ngroups,table\n") && tables.out.contains("tags_string,view\n"));
    assert!(!tables.out.contains("information_schema"), "{}", tables.out);
    let columns = sql(folder.path(), &["--format", "csv", "-c", "\\d groups"]);
    assert!(
        columns.out.contains("\nbitmap,BinaryView,NO\n"),
        "{}",
        columns.out
    );
    let text =
        "\\d groups\nSELECT ';'\n AS one;\nhelp;\nSELECT 2 AS two;\nquit;\nSELECT 3 AS three";
    let mixed = piped(folder.path(), &["--format", "csv"], text);
    assert_eq!(mixed.code, Some(0), "{mixed:?}");
    for part in ["bitmap,BinaryView", "one\n;\n", "Ctrl-D", "two\n2\n"] {
        assert!(mixed.out.contains(part), "{part}: {}", mixed.out);
    }
    assert!(!mixed.out.contains("three"), "{}", mixed.out);
    let unknown = sql(folder.path(), &["-c", "\\pset maxrows 5"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.last_error().contains("found \\pset, expected \\d"));
    let json = run(
        folder.path(),
        &["--output", "json", "sql", "-c", "\\h bitmap_or"],
    );
    assert!(
        json.out.starts_with("[{\"function_name\":\"bitmap_or\""),
        "{json:?}"
    );
}

#[test]
fn every_function_is_known_by_all_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let told = sql(folder.path(), &["-c", "\\h groupBitmapAnd"]);
    assert!(
        told.out
            .contains("aggregate; groupBitmapAnd is another name of bitmap_and_cardinality_agg"),
        "{}",
        told.out
    );
    for pattern in [
        "\\h bitmap_and%",
        "\\h BITMAP_AND*",
        "SHOW FUNCTIONS LIKE 'bitmap_and%'",
    ] {
        let listed = sql(folder.path(), &["--format", "csv", "-c", pattern]);
        for name in ["bitmap_and,scalar,", "bitmap_and_agg,aggregate,"] {
            assert!(listed.out.contains(name), "{pattern}: {}", listed.out);
        }
    }
    let all = sql(folder.path(), &["--format", "csv", "-c", "SHOW FUNCTIONS"]);
    assert!(all.out.contains("\nabs,scalar,") && all.out.contains("\nbitmap_or,scalar,"));
    let unknown = sql(folder.path(), &["-c", "\\h bitmap_aand"]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.last_error().contains("did you mean bitmap_and?"),
        "{unknown:?}"
    );
}

#[test]
fn a_table_is_cut_only_where_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let query = "SELECT value FROM generate_series(1, 50)";
    assert_eq!(sql(folder.path(), &["-c", query]).out.lines().count(), 54);
    let cut = sql(folder.path(), &["--maxrows", "3", "-c", query]);
    assert!(
        cut.out
            .ends_with("3 of 50 rows; --maxrows N shows others\n"),
        "{}",
        cut.out
    );
    let csv = sql(
        folder.path(),
        &["--maxrows", "3", "--format", "csv", "-c", query],
    );
    assert_eq!(csv.out.lines().count(), 51);
}

#[test]
fn a_wrong_statement_is_told_in_a_persons_words() {
    let folder = published();
    for (statement, expected) in [
        (
            "SELECT * FROM grops",
            "sql: found no table grops; did you mean groups?",
        ),
        ("SELECT * FROM raw.profils", "did you mean raw.profiles?"),
        (
            "SELECT * FROM 'none.parquet'",
            "found no table and no file none.parquet",
        ),
        (
            "SELECT shrad FROM groups",
            "found no column shrad; did you mean shard?",
        ),
        ("SELECT grop FROM groups", "did you mean \"group\"?"),
        (
            "SELECT app FROM groups WHERE app = \"tea\"",
            "found no column tea; text stands in single quotes: 'tea'",
        ),
        (
            "SELECT app FROM groups g JOIN tags t ON g.shard = t.shard",
            "column app is in several tables of the statement; name its table as well: table.app",
        ),
        (
            "SELECT app FROM groups WHERE app = $app",
            "found $app, a parameter without a value",
        ),
        (
            "SELECT uper(app) FROM groups",
            "found no function uper; did you mean upper?",
        ),
        (
            "SELECT sum(app) FROM groups",
            "sum does not take (text); \\h sum tells",
        ),
        (
            "SELECT bitmap_and(app, bitmap) FROM groups",
            "bitmap_and: argument 1 is text, expected a bitmap",
        ),
        (
            "SELECT count(*) FROM tags WHERE tag = 3",
            "in single quotes, or use try_cast",
        ),
        (
            "SELECT 1 AS a, 2 AS a",
            "two columns of the result have the same name",
        ),
        ("SELECT\n1 +\n )", "the statement is no SQL, at line 3:2"),
        ("SELECT 1;\n\\d groups\n\nSELEC 2", "at line 4:1"),
        ("SELECT 1 / 0", "Divide by zero"),
    ] {
        let done = sql(folder.path(), &["-c", statement]);
        assert_eq!(done.code, Some(2), "{statement}: {done:?}");
        let error = done.last_error();
        assert!(error.contains(expected), "{statement}: {error}");
        for inside in [
            "\\n",
            "Utf8",
            "datafusion",
            "Error during",
            "Execution error",
            "Arrow",
        ] {
            assert!(!error.contains(inside), "{statement}: {error}");
        }
    }
}

/// A terminal of util-linux in which `tagmill sql` runs.
struct Terminal {
    process: Child,
    /// What nobody has waited for yet.
    shown: String,
}

impl Terminal {
    fn open(folder: &Path) -> Self {
        let program = env!("CARGO_BIN_EXE_tagmill");
        let process = Command::new("timeout")
            .args(["60", "script", "--quiet", "--return", "--command"])
            .arg(format!("{program} sql"))
            .arg("/dev/null")
            .current_dir(folder)
            .env_remove("TAGMILL_CONFIG")
            .env("XDG_STATE_HOME", folder.join("state"))
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let shown = String::new();
        Self { process, shown }
    }

    /// Types when a prompt is there, and waits for what is then shown.
    fn types(&mut self, text: &str, expected: &str) {
        let input = self.process.stdin.as_mut().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        self.shows(expected);
    }

    fn shows(&mut self, expected: &str) {
        let output = self.process.stdout.as_mut().unwrap();
        let mut bytes = [0; 4_096];
        while !self.shown.contains(expected) {
            let read = output.read(&mut bytes).unwrap();
            assert!(read > 0, "ended without {expected:?}: {:?}", self.shown);
            let text = String::from_utf8_lossy(&bytes[..read]);
            self.shown.push_str(&text);
        }
        let end = self.shown.find(expected).unwrap() + expected.len();
        self.shown.drain(..end);
    }

    fn quits(mut self, word: &str) {
        let input = self.process.stdin.as_mut().unwrap();
        input.write_all(word.as_bytes()).unwrap();
        assert!(self.process.wait().unwrap().success());
    }
}

#[test]
fn the_prompt_completes_goes_on_after_errors_and_keeps_its_history() {
    let folder = published();
    let mut terminal = Terminal::open(folder.path());
    terminal.shows("release 1 of 2026-11-19; \\d lists tables, \\? helps, \\q quits\r\n");
    terminal.shows("> ");
    terminal.types("SELECT 40 +\n", "- ");
    terminal.types("2 AS sum;\n", "| 42  |");
    terminal.shows("> ");
    terminal.types("SELECT * FROM grops;\n", "did you mean groups?");
    terminal.shows("> ");
    terminal.types("SELECT count(*) AS n FROM univ\t;\n", "| 4");
    terminal.shows("> ");
    terminal.types("help\n", "Ctrl-D");
    terminal.shows("> ");
    terminal.quits("quit;\n");
    let history = folder.path().join("state/tagmill/sql_history");
    let history = std::fs::read_to_string(history).unwrap();
    assert!(
        history.contains("SELECT count(*) AS n FROM universe;"),
        "{history}"
    );
    assert!(!folder.path().join(".history").exists());
    let elsewhere = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::open(elsewhere.path());
    terminal.shows("no release, as there is no warehouse.toml here");
    terminal.shows("> ");
    terminal.quits("exit\n");
}
