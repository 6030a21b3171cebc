//! A night's results as lines of JSON, in a fixed order: for comparing by eye, by SQL or by script.
//! Reads a night, writes lines.
//!
//! | what | fields besides |
//! |---|---|
//! | `account` | source, app, read, accepted, filtered, rejected, undeclared, duplicates |
//! | `universe` | app, users |
//! | `dictionary` | users |
//! | `tag` | app, tag, value, users |
//! | `event` | app, event, users |
//! | `value` | app, event, dimension, value, combination, overflow, users |
//! | `count` | app, event, combination, overflow, users, sum |
//! | `sum` | app, event, measure, combination, overflow, users, sum |
//! | `group` | app, group, status, users |

use serde_json::{Value as Json, json};

use super::Night;
use super::behaviour::EventBehaviour;
use super::group::Outcome;
use super::value::Value;

/// All results of a night, with at most `limit` numbered combinations a user.
pub fn lines(night: &Night, limit: u32) -> Vec<Json> {
    let accounts = night.facts.accounts.iter().map(|((source, app), a)| {
        json!({"what": "account", "source": source, "app": app, "read": a.read, "accepted": a.accepted, "filtered": a.filtered,
            "rejected": a.rejected, "undeclared": a.undeclared, "duplicates": a.duplicates})
    });
    let universe = night
        .universe
        .iter()
        .map(|(app, users)| json!({"what": "universe", "app": app, "users": users.len()}));
    let mut lines: Vec<Json> = accounts.chain(universe).collect();
    lines.push(json!({"what": "dictionary", "users": night.dictionary.numbers.len()}));
    let tags = night.tags();
    lines.extend(tags.iter().map(|((app, tag, value), users)| json!({"what": "tag", "app": app, "tag": tag, "value": typed(value), "users": users.len()})));
    for ((app, event), behaviour) in &night.behaviour(limit) {
        lines.extend(event_lines(app, event, behaviour));
    }
    lines.extend(night.groups().iter().map(|((app, group), outcome)| {
        let users = if let Outcome::Ok(users) = outcome { Json::from(users.len()) } else { Json::Null };
        json!({"what": "group", "app": app, "group": group, "status": outcome.status(), "users": users})
    }));
    lines
}

fn event_lines(app: &str, event: &str, behaviour: &EventBehaviour) -> Vec<Json> {
    let mut lines =
        vec![json!({"what": "event", "app": app, "event": event, "users": behaviour.users.len()})];
    lines.extend(behaviour.values.iter().map(|((dimension, value, at), users)| {
        json!({"what": "value", "app": app, "event": event, "dimension": dimension, "value": typed(value), "combination": at.number,
            "overflow": at.is_overflow, "users": users.len()})
    }));
    lines.extend(behaviour.counts.iter().map(|(at, users)| {
        json!({"what": "count", "app": app, "event": event, "combination": at.number, "overflow": at.is_overflow, "users": users.len(),
            "sum": total(users.values())})
    }));
    lines.extend(behaviour.sums.iter().map(|((measure, at), users)| {
        json!({"what": "sum", "app": app, "event": event, "measure": measure, "combination": at.number, "overflow": at.is_overflow,
            "users": users.len(), "sum": total(users.values())})
    }));
    lines
}

fn total<'a>(values: impl Iterator<Item = &'a i128>) -> Json {
    let sum: i128 = values.sum();
    i64::try_from(sum).map_or_else(|_| Json::from(sum.to_string()), Json::from)
}

fn typed(value: &Value) -> Json {
    match value {
        Value::Integer(number) => Json::from(*number),
        Value::Double(number) => Json::from(*number),
        Value::Boolean(truth) => Json::from(*truth),
        Value::String(_) | Value::Date(_) => Json::from(value.to_string()),
    }
}
