//! Where examples run: the data of `make run`, a folder a page, the binary under its own name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tagmill_testdata::generate::generate;
use tagmill_testdata::spec::{Preset, Spec};
use tempfile::TempDir;

/// What `make run` makes before it starts tagmill.
const DEMO: &str = "demo";

/// A scratch folder with the demonstration's raw data and configuration.
pub struct Lab {
    folder: TempDir,
}

impl Lab {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let demo = folder.path().join(DEMO);
        fs::create_dir(&demo).unwrap();
        generate(&Spec::preset(Preset::Demo), &demo).unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        symlink(env!("CARGO_BIN_EXE_tagmill"), bin.join("tagmill")).unwrap();
        Self { folder }
    }

    /// The folder of a page, in which `demo/` is the demonstration.
    pub fn page(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name.replace('/', "-"));
        fs::create_dir(&folder).unwrap();
        symlink(self.folder.path().join(DEMO), folder.join(DEMO)).unwrap();
        folder
    }

    /// Runs a text as `sh` does, ending with the first command that fails.
    pub fn shell(&self, folder: &Path, text: &str) -> Output {
        self.run(folder, Command::new("sh").args(["-eu", "-c", text]))
    }

    /// Runs statements as `tagmill sql` does.
    pub fn sql(&self, folder: &Path, text: &str) -> Output {
        self.run(
            folder,
            Command::new("sh").args(["-c", "exec tagmill sql -c \"$0\"", text]),
        )
    }

    fn run(&self, folder: &Path, command: &mut Command) -> Output {
        let path = std::env::var("PATH").unwrap_or_default();
        let bin = self.folder.path().join("bin");
        command
            .current_dir(folder)
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("HOME", folder)
            .env_remove("TAGMILL_LOG")
            .env_remove("TAGMILL_CONFIG");
        // A page that wrote a configuration of its own is about that one.
        if !folder.join("warehouse.toml").exists() {
            command.env("TAGMILL_CONFIG", "demo/warehouse.toml");
        }
        command.output().unwrap()
    }

    /// What was printed, without the name of the scratch folder.
    pub fn shown(&self, output: &[u8]) -> String {
        let folder = self.folder.path().canonicalize().unwrap();
        let text = String::from_utf8_lossy(output);
        text.replace(folder.to_str().unwrap(), "…")
    }
}
