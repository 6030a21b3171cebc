//! Rules of one app: compiling 200 of them, and evaluating them over a shard's seats. 10,000 rules
//! over 50 apps are 50 times the first, and per shard 50 times the second with the seats divided
//! among the apps.

#![allow(missing_docs)] // criterion_group! makes a public function

use std::fmt::Write;
use std::hint::black_box;

use chrono::NaiveDate;
use criterion::{Criterion, criterion_group, criterion_main};
use tagmill_rules::{Atom, Names, Program, TagInfo, analyse, rule_hash};
use tagmill_schemas::ValueType;

const RULES: usize = 200;
const SEATS: usize = 312_500;

struct App;

impl Names for App {
    fn tag(&self, name: &str) -> Option<TagInfo> {
        let value_type = match name {
            "age" => ValueType::Integer,
            "spend" => ValueType::Double,
            "gender" | "city" | "interests" => ValueType::String,
            "signup" => ValueType::Date,
            _ => return None,
        };
        Some(TagInfo {
            value_type,
            multi: name == "interests",
        })
    }
    fn tag_names(&self) -> Vec<&str> {
        Vec::new()
    }
    fn has_group(&self, name: &str) -> bool {
        name.starts_with("group_")
    }
    fn group_names(&self) -> Vec<&str> {
        Vec::new()
    }
    fn has_list(&self, _: &str) -> bool {
        false
    }
    fn list_names(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Five conditions, some shared between rules; a third has ranges or LIKE, a fifth mentions another
/// group.
fn rule(index: usize) -> String {
    let mut text = format!(
        "gender = '{}' AND city IN ('c{}', 'c{}')",
        ["F", "M"][index % 2],
        index % 30,
        (index * 7) % 30
    );
    let part = match index % 10 {
        0 => format!(
            " AND age BETWEEN {} AND {}",
            18 + index % 40,
            30 + index % 40
        ),
        1 => format!(" AND spend < {}.5", index),
        2 => format!(" AND city LIKE 'c{}%'", index % 9),
        3 | 4 if index > 10 => format!(" AND NOT in_group('group_{}')", index - 7),
        _ => format!(
            " AND (interests = 'i{}' OR interests = 'i{}')",
            index % 50,
            (index * 3) % 50
        ),
    };
    let _ = write!(
        text,
        "{part} AND NOT (interests = 'i{}' AND signup >= run_date() - {})",
        index % 20,
        30 * (1 + index % 3)
    );
    text
}

fn program() -> Program {
    let date = NaiveDate::default();
    let groups = (0..RULES).map(|index| {
        let compiled =
            analyse(&rule(index), &App, date).unwrap_or_else(|error| unreachable!("{error}"));
        black_box(rule_hash(&compiled.text));
        (format!("group_{index}"), compiled.expr)
    });
    let (program, refused) = Program::build(&groups.collect::<Vec<_>>());
    assert_eq!(refused, []);
    program
}

/// Stands for the tags: bits from a multiplicative sequence, about as cheap as copying a bitmap.
fn fill(atom: &Atom, set: &mut [u64]) {
    let mut state = atom.to_string().len() as u64 | 1;
    for word in set {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        *word = state;
    }
}

fn evaluate(program: &Program, seats: usize) -> u64 {
    let mut members = 0;
    let mut fill = |atom: &Atom, set: &mut [u64]| {
        fill(atom, set);
        Ok(())
    };
    let mut emit = |_, set: &[u64]| {
        members += set[0];
        Ok(())
    };
    program
        .evaluate(seats, &mut fill, &mut emit)
        .unwrap_or_else(|error| unreachable!("{error}"));
    members
}

fn rules(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rules");
    group.sample_size(20);
    group.bench_function("compile 200", |bencher| bencher.iter(program));
    let program = program();
    eprintln!(
        "{} atoms, {} buffers",
        program.atoms().len(),
        program.buffers()
    );
    group.bench_function("evaluate 200 over 312,500 seats", |bencher| {
        bencher.iter(|| evaluate(&program, SEATS))
    });
    group.bench_function("evaluate 200 over 6,250 seats", |bencher| {
        bencher.iter(|| evaluate(&program, SEATS / 50))
    });
    group.bench_function("fill alone, all atoms, 312,500 seats", |bencher| {
        let mut set = vec![0; SEATS.div_ceil(64)];
        bencher.iter(|| {
            program
                .atoms()
                .iter()
                .for_each(|atom| fill(atom, black_box(&mut set)))
        });
    });
    group.finish();
}

criterion_group!(benches, rules);
criterion_main!(benches);
