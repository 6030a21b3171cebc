//! Where a configuration's relative paths are: below the folder of its file, wherever tagmill runs.

use super::{Config, SourceKind};

const STORES: [&str; 7] = ["file", "gs", "http", "https", "memory", "s3", "s3a"];

impl Config {
    /// The same configuration with its relative paths below `folder`, that of its file; an empty one
    /// is the current folder. Absolute paths and urls stay. The hash is that of the file's text.
    #[must_use]
    pub fn below(mut self, folder: &str) -> Self {
        if folder.is_empty() {
            return self;
        }
        let below = |path: &mut String| {
            if is_relative(path) {
                *path = format!("{}/{path}", folder.trim_end_matches('/'));
            }
        };
        below(&mut self.warehouse.url);
        below(&mut self.run.spill);
        for source in &mut self.sources {
            below(&mut source.path);
            source.ready.iter_mut().for_each(below);
            match &mut source.kind {
                SourceKind::Attributes { .. } => {}
                SourceKind::GroupTags { registry, .. } => registry.iter_mut().for_each(below),
                SourceKind::Behaviour(events) | SourceKind::CustomEvents(events) => {
                    events.registry.iter_mut().for_each(below);
                }
            }
        }
        if let Some(groups) = &mut self.groups {
            below(&mut groups.rules);
            groups.lists.iter_mut().for_each(below);
        }
        self
    }
}

fn is_relative(path: &str) -> bool {
    !path.starts_with('/') && !has_scheme(path)
}

/// `s3://...`, and `s3:/...`, which is told as the mistake that it is.
fn has_scheme(path: &str) -> bool {
    let scheme = path
        .split_once(':')
        .map(|(scheme, _)| scheme.to_lowercase());
    path.contains("://") || scheme.is_some_and(|scheme| STORES.contains(&scheme.as_str()))
}
