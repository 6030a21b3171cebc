//! Registries, rules and uploaded lists. Reads a spec and its population, writes `conf/`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::Error;
use crate::custom::Properties;
use crate::label::{LABELS, has_label};
use crate::parquet_file::create_parent;
use crate::population::Population;
use crate::rule::{LIST_APPS, LISTS, ODD, ODDER, OddRule, Rules};
use crate::spec::{Preset, Spec};

const LISTED_USERS: usize = 200;

/// Writes everything under `out/conf`.
///
/// # Errors
/// When a file can not be written.
pub fn write(spec: &Spec, population: &Population, out: &Path) -> Result<(), Error> {
    let conf = out.join("conf");
    write_groups(spec, population, &conf)?;
    if spec.is_rich() {
        write_text(&conf.join("tags/tags.ndjson"), &tag_rows(spec, population))?;
        write_text(
            &conf.join("events/events.ndjson"),
            &event_rows(spec, population),
        )?;
        write_lists(population, &conf)?;
    }
    Ok(())
}

fn write_groups(spec: &Spec, population: &Population, conf: &Path) -> Result<(), Error> {
    let rules = Rules::new(spec);
    for app in 0..spec.rule_apps {
        let name = &population.app_names()[app as usize];
        let count = spec.rules / spec.rule_apps + u32::from(app < spec.rules % spec.rule_apps);
        let mut text: String = (0..count)
            .map(|number| group_row(name, number, &rules.text(app, number)))
            .collect();
        if spec.is_rich() && app == 1 {
            text.extend(ODD.iter().map(|odd| odd_row(name, odd)));
        }
        if spec.preset == Preset::Dirty && app == 0 {
            text.extend(ODDER.iter().map(|odd| odd_row(name, odd)));
            text.push_str("{\"app\": \"mega_mart\", \"group\": \"cut\n");
            text.push_str(&line(&json!({"app": name, "rule": "vip = true"})));
        }
        write_text(&conf.join(format!("groups/app-{app:05}.ndjson")), &text)?;
    }
    Ok(())
}

fn group_row(app: &str, number: u32, rule: &str) -> String {
    line(
        &json!({"app": app, "group": Rules::group_name(number), "name": format!("人群 {number}"), "rule": rule}),
    )
}

fn odd_row(app: &str, odd: &OddRule) -> String {
    let mut row = json!({"app": app, "group": odd.group, "rule": odd.rule, "enabled": odd.enabled});
    if let Some(valid_to) = odd.valid_to {
        row["valid_to"] = Value::from(valid_to);
    }
    line(&row)
}

fn tag_rows(spec: &Spec, population: &Population) -> String {
    let mut text = String::new();
    for app in 0..spec.apps {
        for (_, label) in LABELS
            .iter()
            .enumerate()
            .filter(|(number, label)| label.is_declared && has_label(app, *number))
        {
            let name = &population.app_names()[app as usize];
            text.push_str(&line(&json!({"app": name, "tag": label.name, "type": label.kind.name(), "multi": label.is_multi})));
        }
    }
    if spec.preset == Preset::Dirty {
        text.push_str(&line(
            &json!({"app": "mega_mart", "tag": "height", "type": "meters", "multi": false}),
        ));
        text.push_str(&line(&json!({"tag": "orphan", "type": "string"})));
        text.push_str("not json at all\n");
    }
    text
}

fn event_rows(spec: &Spec, population: &Population) -> String {
    let mut text = String::new();
    for (app, name) in (0u32..).zip(population.app_names()) {
        for source in [Properties::Map, Properties::Json]
            .into_iter()
            .filter(|source| source.has_app(app))
        {
            for event in source.events().iter().filter(|event| event.is_declared) {
                let rows = event
                    .properties
                    .iter()
                    .map(|p| json!({"app": name, "event": event.name, "property": p.name, "role": p.role, "type": p.kind, "scale": p.scale}));
                text.extend(rows.map(|row| line(&row)));
            }
        }
    }
    if spec.preset == Preset::Dirty {
        text.push_str(&line(&json!({"app": "mega_mart", "event": "book_table", "property": "extra", "role": "decoration", "type": "string"})));
    }
    text
}

fn write_lists(population: &Population, conf: &Path) -> Result<(), Error> {
    for app in 0..LIST_APPS.min(population.app_names().len() as u32) {
        let users = population.some_users_of(app, LISTED_USERS * LISTS.len());
        for (number, list) in LISTS.iter().enumerate() {
            let mut text: String = users
                .iter()
                .skip(number)
                .step_by(LISTS.len())
                .map(|&user| population.id(user) + "\n")
                .collect();
            text.push_str("nobody-1\nnobody-2\n");
            write_text(
                &conf
                    .join("lists")
                    .join(&population.app_names()[app as usize])
                    .join(format!("{list}.csv")),
                &text,
            )?;
        }
    }
    Ok(())
}

fn line(row: &Value) -> String {
    format!("{row}\n")
}

fn write_text(path: &Path, text: &str) -> Result<(), Error> {
    create_parent(path)?;
    fs::write(path, text).map_err(|e| Error::io(path, e))
}
