//! Ctrl-C and SIGTERM stop a command: exit 130 and 143, one sentence.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::process::{done, tagmill};
use crate::warehouse::published;

#[test]
fn a_signal_stops_a_query_with_its_exit_status() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let folder = published();
        // Long enough that the signal always comes first.
        let sql = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 1000000) \
                   b WHERE a.value % 7 = b.value % 11";
        let mut command = tagmill(folder.path());
        let process = command
            .args(["sql", "-c", sql])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(1_500));
        assert!(
            Command::new("kill")
                .args([format!("-{signal}"), process.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        let done = done(process.wait_with_output().unwrap());
        assert_eq!((done.code, done.out.as_str()), (Some(code), ""), "{done:?}");
        assert!(
            done.last_error().starts_with("error: sql: interrupted"),
            "{done:?}"
        );
    }
}
