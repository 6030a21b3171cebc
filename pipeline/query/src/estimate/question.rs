//! A rule and what its atoms need: asked in every shard, evaluated as a night evaluates it.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use tagmill_bitmap::Defect;
use tagmill_rules::{Atom, Program};
use tagmill_schemas::{Error, Result};

use super::STAGE;
use super::behaviour::Behaviour;
use super::days::Days;
use super::lists::Lists;
use super::names::AppNames;
use super::need::Need;
use super::reader::Reader;
use super::users::Users;

/// A compiled rule and what its atoms need.
pub(super) struct Question {
    reader: Reader,
    program: Program,
    /// Of each atom; `None` for those of `behaviour`.
    needs: Vec<Option<Need>>,
    behaviour: Option<Behaviour>,
    needs_universe: bool,
}

/// What a shard answers.
pub(super) struct Answer {
    /// The users that the rule selects: a bit an ordinal.
    pub(super) words: Vec<u64>,
    /// The users of the app for whom it is not known, as limits kept something out.
    pub(super) uncertain: Vec<u64>,
}

/// How many users a shard answers.
pub(super) struct Counted {
    /// Whom the rule selects.
    pub(super) users: u64,
    /// At least and at most so many, where it is not known of some.
    pub(super) bounds: (u64, u64),
}

impl Answer {
    /// How many users it has.
    pub(super) fn counted(&self) -> Counted {
        let users = ones(self.words.iter().copied());
        let unsure = |at: usize| self.uncertain.get(at).copied().unwrap_or(0);
        let words = || self.words.iter().enumerate();
        let sure = ones(words().map(|(at, word)| word & !unsure(at)));
        let bounds = (sure, sure + ones(self.uncertain.iter().copied()));
        Counted { users, bounds }
    }
}

impl Question {
    /// # Errors
    /// Setup for a list that is not there; retry when the store fails.
    pub(super) async fn new(
        reader: Reader,
        program: Program,
        names: &AppNames,
        lists: &Lists<'_>,
        days: &Days<'_>,
    ) -> Result<Self> {
        let mut needs = Vec::with_capacity(program.atoms().len());
        for atom in program.atoms() {
            needs.push(Need::of(atom, names, lists, &reader).await?);
        }
        let behaviour = Behaviour::of(program.atoms(), reader.app(), days);
        let reaches_beyond = |need: &Need| need.reaches_beyond_app();
        let needs_universe = behaviour.is_some()
            || accepts_outsiders(&program)?
            || needs.iter().flatten().any(reaches_beyond);
        Ok(Self {
            reader,
            program,
            needs,
            behaviour,
            needs_universe,
        })
    }

    /// Users of the app per shard, without reading a bitmap.
    ///
    /// # Errors
    /// Retry when the store fails.
    pub(super) async fn universe_sizes(&self) -> Result<BTreeMap<u32, u64>> {
        self.reader.universe_sizes().await
    }

    /// Bitmaps read so far, and their bytes.
    pub(super) fn read(&self) -> (u64, u64) {
        self.reader.read()
    }

    /// The first and the last day of behaviour that the rule asks for; `None` if it asks for none.
    pub(super) fn days(&self) -> Option<(NaiveDate, NaiveDate)> {
        self.behaviour.as_ref().and_then(Behaviour::days)
    }

    /// The users of one shard that the rule selects.
    ///
    /// # Errors
    /// Refused for damaged bitmaps; retry when the store fails.
    pub(super) async fn answer(&self, shard: u32) -> Result<Answer> {
        let mut sets = HashMap::with_capacity(self.needs.len());
        for (atom, need) in self.program.atoms().iter().zip(&self.needs) {
            if let Some(need) = need {
                sets.insert(atom, need.fetch(&self.reader, shard).await?);
            }
        }
        let universe = match self.needs_universe {
            true => Some(self.reader.universe(shard).await?),
            false => None,
        };
        let mut uncertain = Vec::new();
        if let (Some(behaviour), Some(universe)) = (&self.behaviour, &universe) {
            let mut app = vec![0; universe.bits().map_err(damaged)? / 64];
            universe.or_into(&mut app).map_err(damaged)?;
            let numbers = behaviour.numbers(&self.reader, (shard, app.len())).await?;
            for atom in self.program.atoms() {
                if let Atom::Behaviour { state, test } = atom {
                    let passing = numbers.passing(state, test.as_ref());
                    sets.insert(atom, Users::of_words(passing));
                }
            }
            uncertain = numbers.uncertain();
            let words = uncertain.iter_mut().zip(app);
            words.for_each(|(word, app)| *word &= app);
        }
        let words = select(&self.program, &sets, universe.as_ref())?;
        Ok(Answer { words, uncertain })
    }
}

/// The users for whom the program's rule is true. Its sets are of ordinals here, not of an app's
/// seats: what is no user of the app is taken out at the end, as restricting a set to the universe
/// commutes with union, intersection and complement.
pub(crate) fn select(
    program: &Program,
    sets: &HashMap<&Atom, Users>,
    universe: Option<&Users>,
) -> Result<Vec<u64>> {
    let mut bits = 0;
    for users in sets.values().chain(universe) {
        bits = bits.max(users.bits().map_err(damaged)?);
    }
    let mut app = Vec::new();
    if let Some(universe) = universe {
        app.resize(bits / 64, 0);
        universe.or_into(&mut app).map_err(damaged)?;
    }
    let mut fill = |atom: &Atom, words: &mut [u64]| match sets.get(atom) {
        Some(users) => users.or_into(words).map_err(damaged),
        None => Ok(()),
    };
    let mut selected = Vec::new();
    let mut emit = |_, words: &[u64]| {
        selected = match universe {
            Some(_) => words
                .iter()
                .zip(&app)
                .map(|(word, app)| word & app)
                .collect(),
            None => words.to_vec(),
        };
        Ok(())
    };
    program.evaluate(bits, &mut fill, &mut emit)?;
    Ok(selected)
}

fn ones(words: impl IntoIterator<Item = u64>) -> u64 {
    words
        .into_iter()
        .map(|word| u64::from(word.count_ones()))
        .sum()
}

fn damaged(defect: Defect) -> Error {
    Error::refused(STAGE, "found a damaged bitmap").because(defect)
}

/// Whether a user for whom no atom is true satisfies the rule: only then does the universe matter,
/// since every atom's users are in it.
pub(crate) fn accepts_outsiders(program: &Program) -> Result<bool> {
    let mut is_accepted = false;
    program.evaluate(1, &mut |_, _| Ok(()), &mut |_, words| {
        is_accepted = words != [0];
        Ok(())
    })?;
    Ok(is_accepted)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use tagmill_bitmap::write_sorted;
    use tagmill_rules::Expr;

    fn count_of(
        program: &Program,
        sets: &HashMap<&Atom, Users>,
        universe: Option<&Users>,
    ) -> Result<u64> {
        select(program, sets, universe).map(ones)
    }

    fn atom(name: &str) -> Expr {
        Expr::Atom(Atom::InGroup(name.to_owned()))
    }

    #[test]
    fn only_rules_that_hold_for_strangers_need_the_universe() {
        let accepts = |rule: &Expr| accepts_outsiders(&Program::of(rule)).unwrap();
        let (a, b) = (atom("a"), atom("b"));
        assert!(!accepts(&Expr::and(vec![a.clone(), b.clone().negate()])));
        assert!(accepts(&Expr::or(vec![a.clone(), b.clone().negate()])));
        assert!(accepts(&Expr::and(vec![a.negate(), b.negate()])));
        assert!(accepts(&Expr::All) && !accepts(&Expr::None));
    }

    #[test]
    fn complement_then_universe_equals_complement_in_the_universe() {
        let users = |ordinals: &[u32]| {
            let mut bitmap = Vec::new();
            write_sorted(5, ordinals, &mut bitmap);
            Users::new(bitmap, 5)
        };
        let (a, b) = (Atom::InGroup("a".to_owned()), Atom::InGroup("b".to_owned()));
        let sets = HashMap::from([(&a, users(&[1, 70])), (&b, users(&[2, 70, 70_000]))]);
        let rule = Expr::or(vec![Expr::Atom(a.clone()).negate(), Expr::Atom(b.clone())]);
        let universe = users(&[1, 2, 3, 70, 70_000]);
        let selected = count_of(&Program::of(&rule), &sets, Some(&universe)).unwrap();
        assert_eq!(selected, 4);
    }

    #[test]
    fn users_of_another_shard_are_nobody() {
        let mut bitmap = Vec::new();
        write_sorted(6, &[1, 2], &mut bitmap);
        let a = Atom::InGroup("a".to_owned());
        let program = Program::of(&Expr::Atom(a.clone()));
        let in_shard = |shard| HashMap::from([(&a, Users::new(bitmap.clone(), shard))]);
        assert_eq!(count_of(&program, &in_shard(5), None).unwrap(), 0);
        assert_eq!(count_of(&program, &in_shard(6), None).unwrap(), 2);
    }
}
