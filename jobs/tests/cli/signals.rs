//! Ctrl-C and SIGTERM stop a command: exit 130 and 143, one sentence.

use crate::process::{Stream, start, tagmill};
use crate::warehouse::published;

#[test]
fn a_signal_stops_a_query_with_its_exit_status() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let folder = published();
        // Long enough that the signal always comes first.
        let long = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 1000000) \
                    b WHERE a.value % 7 = b.value % 11";
        let arguments = [
            "sql",
            "--format",
            "csv",
            "-c",
            "SELECT 'begun' AS it",
            "-c",
            long,
        ];
        let mut query = start(tagmill(folder.path()).args(arguments));
        query.wait_for(Stream::Out, "begun");
        let done = query.end_by(signal);
        assert_eq!(
            (done.code, done.out.as_str()),
            (Some(code), "it\nbegun\n"),
            "{done:?}"
        );
        assert!(
            done.last_error().starts_with("error: sql: interrupted"),
            "{done:?}"
        );
    }
}
