//! A page of Markdown as lines and fenced blocks.

use std::fs;
use std::path::{Path, PathBuf};

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    /// The line of its opening fence, from 0.
    pub line: usize,
    /// The first word after the fence: `sh`, `sql`, `toml`, `json`, `text`, ...
    pub language: String,
    /// The second one: a file's name, or the engine of a query.
    pub subject: Option<String>,
    /// Its lines.
    pub text: String,
    /// Whether it begins right behind another block, but for empty lines.
    pub is_next: bool,
}

impl Block {
    /// Page and line, for messages.
    pub fn place(&self, page: &Page) -> String {
        format!("{}:{}", page.name, self.line + 1)
    }
}

/// A page.
#[derive(Debug)]
pub struct Page {
    /// Relative to the repository.
    pub name: String,
    pub text: String,
}

/// The repository's folder.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("jobs/ has a parent").to_path_buf()
}

/// A file of the repository.
pub fn read(name: &str) -> String {
    let path = root().join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// README.md first, which makes what the others read; then docs/, by name.
pub fn guides() -> Vec<Page> {
    let entries = fs::read_dir(root().join("docs")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| format!("docs/{}", entry.unwrap().file_name().to_string_lossy()))
        .filter(|name| name.ends_with(".md"))
        .collect();
    names.sort();
    names.insert(0, "README.md".to_owned());
    names.into_iter().map(Page::open).collect()
}

/// The guides, and the pages for who works on tagmill.
pub fn every_page() -> Vec<Page> {
    let others = ["ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
    let others = others.map(|name| Page::open(name.to_owned()));
    guides().into_iter().chain(others).collect()
}

impl Page {
    fn open(name: String) -> Self {
        let text = read(&name);
        Self { name, text }
    }

    /// Its fenced blocks, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().enumerate();
        let mut is_next = false;
        while let Some((line, text)) = lines.next() {
            if let Some(info) = text.strip_prefix("```") {
                let mut words = info.split_whitespace().map(str::to_owned);
                let (language, subject) = (words.next().unwrap_or_default(), words.next());
                let inside = lines.by_ref().map(|(_, text)| text);
                let inside = inside.take_while(|text| !text.starts_with("```"));
                blocks.push(Block {
                    line,
                    language,
                    subject,
                    text: inside.fold(String::new(), |all, text| all + text + "\n"),
                    is_next,
                });
                is_next = true;
            } else if !text.trim().is_empty() {
                is_next = false;
            }
        }
        blocks
    }

    /// Its lines outside of fenced blocks.
    pub fn prose(&self) -> Vec<&str> {
        let mut is_inside = false;
        let is_prose = |text: &&str| {
            let is_fence = text.starts_with("```");
            is_inside ^= is_fence;
            !is_fence && !is_inside
        };
        self.text.lines().filter(is_prose).collect()
    }
}
