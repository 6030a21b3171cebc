//! One day of one event of one app: the rows of its behaviour as bitsets of seats, and the numbers
//! that they give.

use std::collections::{BTreeMap, BTreeSet};

use tagmill_bitmap::{Slice, SlicedNumbers};
use tagmill_rules::{Atom, DimensionCondition, Test, WindowState};
use tagmill_schemas::{Result, Value};

use super::seats::AppSeatWords;

/// The measure that counts events.
const COUNT: &str = "*";

/// A bitset of seats.
type Words = Vec<u64>;

/// The rows of a day, as far as some states need them.
pub struct EventDay<'a> {
    seats: AppSeatWords<'a>,
    /// Memory of one row's users.
    row: Words,
    /// Who did it.
    users: Words,
    leaves: Vec<Leaf>,
    /// By dimension and number: users with a value that shares a row with others.
    folded: BTreeMap<(String, u32), Words>,
    /// By name.
    measures: BTreeMap<String, Measure>,
    /// The numbers that several combinations of a user share.
    shared: BTreeSet<u32>,
}

/// Users, by number of the combination, for whom a test of a dimension holds.
struct Leaf {
    atom: Atom,
    by_number: BTreeMap<u32, Words>,
    /// Values of a list that have rows.
    seen: BTreeSet<String>,
}

/// What users have of a measure, by number of the combination.
#[derive(Default)]
struct Measure {
    scale: u8,
    by_number: BTreeMap<u32, SlicedNumbers>,
}

/// What a day is worth to each user.
pub struct DayNumbers {
    /// Of what is known; a day on which a user did it is 1.
    pub value: SlicedNumbers,
    /// Decimal digits of `value`.
    pub scale: u8,
    /// Users of whom a limit kept something out.
    pub uncertain: Words,
}

/// One row of a measure.
pub struct MeasureRow<'a> {
    /// The measure.
    pub name: &'a str,
    /// Decimal digits.
    pub scale: u8,
    /// The number of the combination.
    pub number: u32,
    /// Whether several combinations share the number.
    pub is_shared: bool,
    /// What its users are worth.
    pub slice: Slice,
}

impl<'a> EventDay<'a> {
    /// A day without rows, for these states of an app with these seats.
    pub fn new<'s>(seats: AppSeatWords<'a>, states: impl Iterator<Item = &'s WindowState>) -> Self {
        let mut made = Self {
            seats,
            row: Vec::new(),
            users: vec![0; seats.words()],
            leaves: Vec::new(),
            folded: BTreeMap::new(),
            measures: BTreeMap::new(),
            shared: BTreeSet::new(),
        };
        for state in states {
            let of_condition = state.condition.as_ref().map(|_| COUNT);
            for measure in state.measure().into_iter().chain(of_condition) {
                made.measures.entry(measure.to_owned()).or_default();
            }
            let atoms = state.condition.iter().flat_map(DimensionCondition::atoms);
            for atom in atoms {
                if made.leaves.iter().all(|leaf| leaf.atom != *atom) {
                    made.leaves.push(Leaf {
                        atom: atom.clone(),
                        by_number: BTreeMap::new(),
                        seen: BTreeSet::new(),
                    });
                }
            }
        }
        made
    }

    /// Whether rows of a dimension say something.
    pub fn needs_dimension(&self, dimension: &str) -> bool {
        self.leaves
            .iter()
            .any(|leaf| dimension_of(&leaf.atom) == Some(dimension))
    }

    /// Whether rows of a measure say something.
    pub fn needs_measure(&self, measure: &str) -> bool {
        self.measures.contains_key(measure)
    }

    /// Whether any row of a measure does.
    pub fn needs_measures(&self) -> bool {
        !self.measures.is_empty()
    }

    /// Takes the row of the event's users, by ordinal.
    pub fn add_users(&mut self, ordinals: &[u32]) {
        self.seats.set(ordinals, &mut self.users);
    }

    /// Takes a row of a dimension's value; `None`: values that share the row.
    pub fn add_value(
        &mut self,
        dimension: &str,
        value: Option<&str>,
        number: u32,
        ordinals: &[u32],
    ) {
        let seats = self.seats;
        let empty = || vec![0; seats.words()];
        if value.is_none() {
            let key = (dimension.to_owned(), number);
            seats.set(ordinals, self.folded.entry(key).or_insert_with(empty));
        }
        for leaf in &mut self.leaves {
            if dimension_of(&leaf.atom) == Some(dimension) && leaf.holds(value) {
                let users = leaf.by_number.entry(number).or_insert_with(empty);
                seats.set(ordinals, users);
            }
        }
    }

    /// Takes a row of a measure.
    pub fn add_measure(&mut self, row: &MeasureRow<'_>, ordinals: &[u32]) {
        let Some(measure) = self.measures.get_mut(row.name) else {
            return;
        };
        let words = self.seats.words();
        self.row.clear();
        self.row.resize(words, 0);
        self.seats.set(ordinals, &mut self.row);
        measure.scale = row.scale;
        let zero = || SlicedNumbers::zero(words);
        let numbers = measure.by_number.entry(row.number).or_insert_with(zero);
        numbers.add_slice(row.slice, &self.row);
        if row.is_shared {
            self.shared.insert(row.number);
        }
    }

    /// What the day is worth to a state.
    ///
    /// # Errors
    /// Those of evaluating a condition.
    pub fn numbers(&self, state: &WindowState) -> Result<DayNumbers> {
        let measure = state
            .measure()
            .and_then(|measure| self.measures.get(measure));
        let scale = measure.map_or(0, |measure| measure.scale);
        let words = self.seats.words();
        let mut day = DayNumbers {
            value: SlicedNumbers::zero(words),
            scale,
            uncertain: vec![0; words],
        };
        let Some(condition) = &state.condition else {
            match (state.measure(), measure) {
                (None, _) => day.value = SlicedNumbers::constant(&self.users, 1),
                (_, Some(measure)) => measure.by_number.values().for_each(|n| day.value.add(n)),
                (_, None) => {}
            }
            return Ok(day);
        };
        let mut did = vec![0; words];
        for number in self
            .measures
            .get(COUNT)
            .iter()
            .flat_map(|all| all.by_number.keys())
        {
            let (known, unknown) = self.selected(condition, *number)?;
            or_into(&mut day.uncertain, &unknown);
            or_into(&mut did, &known);
            if let Some(numbers) = measure.and_then(|measure| measure.by_number.get(number)) {
                let mut numbers = numbers.clone();
                numbers.keep(&known);
                day.value.add(&numbers);
            }
        }
        if state.measure().is_none() {
            day.uncertain
                .iter_mut()
                .zip(&did)
                .for_each(|(word, did)| *word &= !did);
            day.value = SlicedNumbers::constant(&did, 1);
        }
        Ok(day)
    }

    /// Users whose combination of this number is known to fulfil a condition, and those of whom it
    /// is not known.
    fn selected(&self, condition: &DimensionCondition, number: u32) -> Result<(Words, Words)> {
        let counts = self
            .measures
            .get(COUNT)
            .and_then(|all| all.by_number.get(&number));
        let everybody = counts.map(SlicedNumbers::nonzero).unwrap_or_default();
        if self.shared.contains(&number) {
            return Ok((vec![0; everybody.len()], everybody));
        }
        let mut fill = |atom: &Atom, words: &mut [u64]| {
            let leaf = self.leaves.iter().find(|leaf| leaf.atom == *atom);
            if let Some(users) = leaf.and_then(|leaf| leaf.by_number.get(&number)) {
                words.copy_from_slice(users);
            }
            Ok(())
        };
        let mut known = condition.select(self.seats.ordinals.len(), &mut fill)?;
        let mut unknown = vec![0; known.len()];
        for atom in condition.atoms() {
            let leaf = self.leaves.iter().find(|leaf| leaf.atom == *atom);
            let may_hide = leaf.is_some_and(Leaf::may_hold_unseen);
            let folded = dimension_of(atom).filter(|_| may_hide);
            let folded = folded.and_then(|name| self.folded.get(&(name.to_owned(), number)));
            folded
                .into_iter()
                .for_each(|users| or_into(&mut unknown, users));
        }
        for ((known, unknown), all) in known.iter_mut().zip(&mut unknown).zip(&everybody) {
            *unknown &= all;
            *known &= all & !*unknown;
        }
        Ok((known, unknown))
    }
}

impl Leaf {
    /// Whether the test holds for a value; one that shares its row is some value.
    fn holds(&mut self, value: Option<&str>) -> bool {
        let (Atom::Tag { test, .. }, Some(text)) = (&self.atom, value) else {
            return matches!(self.atom, Atom::Has { .. });
        };
        let holds = test.matches(&Value::String(text.to_owned()));
        let list = match test {
            Test::Not(inner) => inner,
            test => test,
        };
        if let Test::In(values) = list
            && values
                .binary_search(&Value::String(text.to_owned()))
                .is_ok()
        {
            self.seen.insert(text.to_owned());
        }
        holds
    }

    /// Whether the outcome of a value that shares its row is not known: one of a list that has no
    /// row of its own may be among them.
    fn may_hold_unseen(&self) -> bool {
        let Atom::Tag { test, .. } = &self.atom else {
            return false;
        };
        match test {
            Test::In(values) => self.seen.len() < values.len(),
            Test::Range { .. } | Test::Like { .. } | Test::Not(_) => true,
        }
    }
}

fn dimension_of(atom: &Atom) -> Option<&str> {
    match atom {
        Atom::Has { tag } | Atom::Tag { tag, .. } => Some(tag),
        Atom::Behaviour { .. }
        | Atom::InGroup(_)
        | Atom::Before(_)
        | Atom::InList(_)
        | Atom::InSplit { .. } => None,
    }
}

fn or_into(all: &mut [u64], more: &[u64]) {
    all.iter_mut()
        .zip(more)
        .for_each(|(all, more)| *all |= more);
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tagmill_rules::{EventInfo, Expr, Names, TagInfo, compile};

    const USERS: usize = 70;
    const CITIES: [Option<&str>; 4] = [None, Some("Bern"), Some("Oslo"), Some("Rome")];
    const SYSTEMS: [Option<&str>; 3] = [None, Some("ios"), Some("mac")];

    /// An event with two dimensions and a measure.
    struct Shop;

    impl Names for Shop {
        fn tag(&self, _: &str) -> Option<TagInfo> {
            None
        }
        fn tag_names(&self) -> Vec<&str> {
            Vec::new()
        }
        fn has_group(&self, _: &str) -> bool {
            false
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
        fn has_behaviour(&self) -> bool {
            true
        }
        fn event(&self, _: &str) -> Option<EventInfo> {
            Some(EventInfo {
                dimensions: vec!["city".to_owned(), "os".to_owned()],
                measures: vec!["amount".to_owned()],
                is_open: false,
            })
        }
    }

    fn state(number: &str) -> WindowState {
        let expr = compile(
            &format!("{number} > 0"),
            &Shop,
            chrono::NaiveDate::default(),
        );
        match expr.unwrap() {
            Expr::Atom(Atom::Behaviour { state, .. }) => *state,
            other => panic!("{other}"),
        }
    }

    /// User, city, system, amount.
    type Event = (usize, usize, usize, i64);

    /// By user: each tuple with its number of events and their sum.
    type Tuples = BTreeMap<usize, BTreeMap<(usize, usize), (i64, i64)>>;

    fn tuples(events: &[Event]) -> Tuples {
        let mut tuples = Tuples::new();
        for (user, city, system, amount) in events {
            let of_user = tuples.entry(*user).or_default();
            let sums = of_user.entry((*city, *system)).or_default();
            *sums = (sums.0 + 1, sums.1 + amount);
        }
        tuples
    }

    /// Hands over the rows of a day as artifacts have them; numbers from `limit` on are shared, the
    /// city `folded` has no row of its own.
    fn fill(day: &mut EventDay<'_>, tuples: &Tuples, limit: u32, folded: Option<usize>) {
        for (user, of_user) in tuples {
            let user = [*user as u32];
            day.add_users(&user);
            for (number, (city, system)) in of_user.keys().enumerate() {
                let number = (number as u32).min(limit);
                if *city > 0 {
                    let value = CITIES[*city].filter(|_| folded != Some(*city));
                    day.add_value("city", value, number, &user);
                }
                if let Some(system) = SYSTEMS[*system] {
                    day.add_value("os", Some(system), number, &user);
                }
            }
            let mut sums: BTreeMap<u32, (i64, i64)> = BTreeMap::new();
            for (number, (count, sum)) in of_user.values().enumerate() {
                let sums = sums.entry((number as u32).min(limit)).or_default();
                *sums = (sums.0 + count, sums.1 + sum);
            }
            for (number, (count, sum)) in sums {
                for (name, number_of) in [(COUNT, count), ("amount", sum)] {
                    let width = tagmill_bitmap::Width::of(std::iter::once(number_of));
                    for key in width.keys_of(number_of) {
                        let row = MeasureRow {
                            name,
                            scale: 2,
                            number,
                            is_shared: number == limit,
                            slice: width.slice(key),
                        };
                        day.add_measure(&row, &user);
                    }
                }
            }
        }
    }

    type Holds = fn(Option<&str>, Option<&str>) -> bool;

    const CONDITIONS: [(&str, Holds); 5] = [
        ("city = 'Oslo'", |city, _| city == Some("Oslo")),
        ("city IN ('Oslo', 'Bern') AND os <> 'mac'", |city, os| {
            matches!(city, Some("Oslo" | "Bern")) && os.is_some_and(|os| os != "mac")
        }),
        ("NOT (city = 'Rome') OR os IS NULL", |city, os| {
            city != Some("Rome") || os.is_none()
        }),
        ("city LIKE '%e%' AND os IS NOT NULL", |city, os| {
            city.is_some_and(|city| city.contains('e')) && os.is_some()
        }),
        ("city IS NULL", |city, _| city.is_none()),
    ];

    proptest! {
        #[test]
        fn a_day_is_worth_what_its_events_are_or_says_of_whom_it_is_not_known(
            events in prop::collection::vec((0..USERS, 0usize..4, 0usize..3, -300i64..300), 0..120),
            limit in 1u32..5,
            folded in prop::option::of(1usize..4),
        ) {
            let tuples = tuples(&events);
            let ordinals: Vec<u32> = (0..USERS as u32).collect();
            let seats = AppSeatWords { shard: 0, ordinals: &ordinals };
            for (condition, holds) in CONDITIONS {
                let count = state(&format!("event_count('pay', 1, {condition})"));
                let sum = state(&format!("event_sum('pay', 'amount', 1, {condition})"));
                let days = state(&format!("event_days('pay', 1, {condition})"));
                let all = state("event_sum('pay', 'amount', 1)");
                let states = [&count, &sum, &days, &all];
                let mut day = EventDay::new(seats, states.into_iter());
                fill(&mut day, &tuples, limit, folded);
                let [count, sum, days, all] = states.map(|state| day.numbers(state).unwrap());
                let is_in = |words: &[u64], user: usize| words[user / 64] >> (user % 64) & 1 == 1;
                for user in 0..USERS {
                    let of_user = tuples.get(&user).cloned().unwrap_or_default();
                    let total: i64 = of_user.values().map(|sums| sums.1).sum();
                    prop_assert_eq!(all.value.number(user), i128::from(total));
                    prop_assert!(!is_in(&all.uncertain, user));
                    let held = of_user.iter().filter(|((city, os), _)| holds(CITIES[*city], SYSTEMS[*os]));
                    let held: Vec<(i64, i64)> = held.map(|(_, sums)| *sums).collect();
                    let may_hide = of_user.len() > limit as usize
                        || of_user.keys().any(|(city, _)| folded == Some(*city));
                    if may_hide {
                        continue;
                    }
                    let expected: i64 = held.iter().map(|sums| sums.0).sum();
                    prop_assert_eq!(count.value.number(user), i128::from(expected));
                    let expected: i64 = held.iter().map(|sums| sums.1).sum();
                    prop_assert_eq!(sum.value.number(user), i128::from(expected));
                    prop_assert_eq!(days.value.number(user), i128::from(!held.is_empty()));
                    prop_assert!(!is_in(&count.uncertain, user) && !is_in(&days.uncertain, user));
                }
                // What is not known for sure is told.
                for user in 0..USERS {
                    let of_user = tuples.get(&user).cloned().unwrap_or_default();
                    let held = of_user.iter().filter(|((city, os), _)| holds(CITIES[*city], SYSTEMS[*os]));
                    let held: i64 = held.map(|(_, sums)| sums.0).sum();
                    let is_told = is_in(&count.uncertain, user);
                    prop_assert!(is_told || count.value.number(user) == i128::from(held));
                    prop_assert!(count.value.number(user) <= i128::from(held));
                }
            }
        }
    }
}
