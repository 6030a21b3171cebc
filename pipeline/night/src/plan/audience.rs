//! The rules of the night, compiled once a process: one program an app, evaluated by every shard.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use datafusion::error::{DataFusionError, Result};

use tagmill_schemas::manifest::OverLimit;

use super::spec::{AppRules, LabelSpec, NightSpec, TagSpec};
use tagmill_rules::{Names, Program, TagInfo, compile};

/// The program of one app and the names of its groups.
pub struct Audience {
    /// Evaluates all groups.
    pub program: Program,
    /// Names by the numbers that the program emits; ascending.
    pub groups: Vec<String>,
}

/// What rules of one app may name.
pub struct AppNames<'a> {
    /// Tags of attributes sources.
    pub platform: &'a [TagSpec],
    /// Tags of group-tags sources: the app's own, and those of every app.
    pub labels: Option<&'a BTreeMap<String, LabelSpec>>,
    /// See `labels`.
    pub shared_labels: &'a BTreeMap<String, LabelSpec>,
    /// Groups, valid or not.
    pub groups: Vec<&'a str>,
    /// Uploaded lists; `None`: all that are named, because the rules were checked before.
    pub lists: Option<Vec<&'a str>>,
    /// The app's tags whose values are not published, with the limit that they exceed.
    pub withheld: Option<&'a BTreeMap<String, OverLimit>>,
}

impl<'a> AppNames<'a> {
    /// The names of an app whose rules were checked when the night was planned.
    pub fn planned(spec: &'a NightSpec, rules: &'a AppRules, platform: &'a [TagSpec]) -> Self {
        Self {
            platform,
            labels: spec.labels.get(&rules.app),
            shared_labels: &spec.shared_labels,
            groups: rules.groups.iter().map(|(name, _)| name.as_str()).collect(),
            lists: None,
            withheld: spec.withheld.get(&rules.app),
        }
    }
}

impl Names for AppNames<'_> {
    fn tag(&self, name: &str) -> Option<TagInfo> {
        let platform = self
            .platform
            .iter()
            .find(|tag| tag.name == name)
            .map(|tag| TagInfo {
                value_type: tag.value_type,
                multi: tag.multi,
            });
        platform.or_else(|| {
            self.shared_labels
                .get(name)
                .or_else(|| self.labels?.get(name))
                .map(|label| TagInfo {
                    value_type: label.value_type,
                    multi: label.multi,
                })
        })
    }

    fn tag_names(&self) -> Vec<&str> {
        let labels = self
            .labels
            .into_iter()
            .chain([self.shared_labels])
            .flat_map(|labels| labels.keys().map(String::as_str));
        self.platform
            .iter()
            .map(|tag| tag.name.as_str())
            .chain(labels)
            .collect()
    }

    fn has_group(&self, name: &str) -> bool {
        self.groups.binary_search(&name).is_ok()
    }

    fn group_names(&self) -> Vec<&str> {
        self.groups.clone()
    }

    fn has_list(&self, name: &str) -> bool {
        self.lists
            .as_ref()
            .is_none_or(|lists| lists.contains(&name))
    }

    fn list_names(&self) -> Vec<&str> {
        self.lists.clone().unwrap_or_default()
    }

    fn withheld(&self, tag: &str) -> Option<OverLimit> {
        self.withheld?.get(tag).copied()
    }
}

/// The programs of every app that has rules, by app.
pub fn compile_rules(spec: &NightSpec) -> Result<BTreeMap<String, Audience>> {
    let platform: Vec<TagSpec> = spec.platform_tags().cloned().collect();
    spec.rules
        .iter()
        .map(|rules| Ok((rules.app.clone(), compile_app(spec, rules, &platform)?)))
        .collect()
}

fn compile_app(spec: &NightSpec, rules: &AppRules, platform: &[TagSpec]) -> Result<Audience> {
    let names = AppNames::planned(spec, rules, platform);
    let compiled = rules
        .groups
        .iter()
        .enumerate()
        .map(|(number, (group, rule))| {
            Ok((
                number,
                compile_rule(rule, &names, spec.date, &rules.app, group)?,
                group.clone(),
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    let (program, invalid) = Program::build(compiled);
    match invalid.first() {
        None => Ok(Audience {
            program,
            groups: rules.groups.iter().map(|(name, _)| name.clone()).collect(),
        }),
        Some((number, why)) => Err(DataFusionError::Internal(format!(
            "group {} of app {} was planned although it is invalid: {why}",
            rules.groups[*number].0, rules.app
        ))),
    }
}

fn compile_rule(
    rule: &str,
    names: &AppNames<'_>,
    date: NaiveDate,
    app: &str,
    group: &str,
) -> Result<tagmill_rules::Expr> {
    compile(rule, names, date).map_err(|e| {
        DataFusionError::Internal(format!(
            "rule {app}/{group} was planned although it is invalid at {}:{}: {}",
            e.line, e.column, e.message
        ))
    })
}
