//! One dictionary for a column instead of one a row group.
//!
//! The exchange puts pieces of many batches together. Pieces with different dictionaries get one
//! that holds them all, text by text and batch by batch; pieces that share theirs are copied as
//! keys. The dictionary grows while row groups bring values that it has not; soon none does, and
//! every batch of the column points to the same memory.

use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, StringArray};
use arrow::datatypes::{ArrowNativeType, DataType, Int32Type};
use datafusion::common::not_impl_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::dictionary::{dictionary_type, is_same};

/// Name of the function in plans.
pub const ONE_DICTIONARY: &str = "tagmill_one_dictionary";
/// A column with more values than this, or longer ones in all, keeps the dictionaries of its row
/// groups.
const MOST_VALUES: usize = 1 << 16;
const MOST_BYTES: usize = 4 << 20;
/// The key of a value that is null.
const NO_KEY: i32 = -1;
/// Row groups whose keys are remembered: those that are being read.
const MOST_REMEMBERED: usize = 64;

/// `tagmill_one_dictionary(column)`: the same texts with keys into one dictionary.
#[derive(Debug)]
pub struct OneDictionary {
    signature: Signature,
    /// No text that comes out depends on it.
    state: Mutex<State>,
}

/// The dictionary so far, and where the values of row groups are in it.
#[derive(Debug, Default)]
struct State {
    keys: HashMap<Box<str>, i32>,
    bytes: usize,
    /// A row group brought too much: from then on nothing is added.
    is_full: bool,
    values: Option<ArrayRef>,
    remembered: VecDeque<(ArrayRef, Arc<[i32]>)>,
}

impl Default for OneDictionary {
    fn default() -> Self {
        Self {
            signature: Signature::any(1, Volatility::Immutable),
            state: Mutex::default(),
        }
    }
}

impl PartialEq for OneDictionary {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for OneDictionary {}

impl Hash for OneDictionary {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ONE_DICTIONARY.hash(state);
    }
}

impl State {
    /// The dictionary with the values of a row group in it, and their keys; `None` when there are
    /// too many.
    fn keys_of(&mut self, values: &ArrayRef) -> Option<(ArrayRef, Arc<[i32]>)> {
        let known = self
            .remembered
            .iter()
            .find(|(known, _)| is_same(known, values))
            .map(|(_, keys)| Arc::clone(keys));
        let keys = match known {
            Some(keys) => keys,
            None => self.add(values)?,
        };
        Some((Arc::clone(self.values.as_ref()?), keys))
    }

    fn add(&mut self, values: &ArrayRef) -> Option<Arc<[i32]>> {
        let texts = values
            .as_string_opt::<i32>()
            .filter(|texts| !self.is_full && texts.len() <= MOST_VALUES)?;
        let new = texts
            .iter()
            .flatten()
            .filter(|text| !self.keys.contains_key(*text));
        let (count, bytes) = new.fold((0, 0), |(count, bytes), text| {
            (count + 1, bytes + text.len())
        });
        self.is_full = self.keys.len() + count > MOST_VALUES || self.bytes + bytes > MOST_BYTES;
        if self.is_full {
            return None;
        }
        let before = self.keys.len();
        let keys: Arc<[i32]> = texts
            .iter()
            .map(|text| text.map_or(NO_KEY, |text| self.key(text)))
            .collect();
        if self.keys.len() > before || self.values.is_none() {
            self.values = Some(self.all());
        }
        self.remembered.truncate(MOST_REMEMBERED - 1);
        self.remembered
            .push_front((Arc::clone(values), Arc::clone(&keys)));
        Some(keys)
    }

    fn key(&mut self, text: &str) -> i32 {
        if let Some(&key) = self.keys.get(text) {
            return key;
        }
        let key = self.keys.len() as i32;
        self.bytes += text.len();
        self.keys.insert(text.into(), key);
        key
    }

    fn all(&self) -> ArrayRef {
        let mut texts = vec![""; self.keys.len()];
        self.keys
            .iter()
            .for_each(|(text, &key)| texts[key as usize] = text);
        Arc::new(StringArray::from(texts))
    }
}

impl OneDictionary {
    fn replace(&self, array: &DictionaryArray<Int32Type>) -> Result<ArrayRef> {
        let found = self
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keys_of(array.values());
        let Some((values, places)) = found else {
            return Ok(Arc::new(array.clone()));
        };
        // What stands under a null may be anything.
        let place = |key: &i32| places.get(key.as_usize()).copied().unwrap_or(NO_KEY);
        let keys = match array.values().null_count() {
            0 => Int32Array::new(
                array.keys().values().iter().map(place).collect(),
                array.nulls().cloned(),
            ),
            _ => array
                .keys()
                .iter()
                .map(|key| key.as_ref().map(place).filter(|&place| place != NO_KEY))
                .collect(),
        };
        // SAFETY: a key is the place of a text that was in the dictionary when it was found, and
        // the dictionary only grows; it is NO_KEY only where it is null.
        Ok(Arc::new(unsafe {
            DictionaryArray::new_unchecked(keys, values)
        }))
    }
}

impl ScalarUDFImpl for OneDictionary {
    fn name(&self) -> &'static str {
        ONE_DICTIONARY
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(dictionary_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(column) = args.args.first() else {
            return not_impl_err!("{ONE_DICTIONARY} without a column");
        };
        let array = column.clone().into_array(args.number_rows)?;
        match array.as_dictionary_opt::<Int32Type>() {
            Some(dictionary) => Ok(ColumnarValue::Array(self.replace(dictionary)?)),
            None => not_impl_err!("{ONE_DICTIONARY} over {}", array.data_type()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use arrow::compute::cast;

    fn coded(values: &[&str], keys: &[Option<i32>]) -> DictionaryArray<Int32Type> {
        DictionaryArray::try_new(
            keys.to_vec().into(),
            Arc::new(StringArray::from(values.to_vec())),
        )
        .unwrap()
    }

    fn texts(array: &dyn Array) -> ArrayRef {
        cast(array, &DataType::Utf8).unwrap()
    }

    #[test]
    fn texts_stay_and_dictionaries_become_one() {
        let function = OneDictionary::default();
        let first = coded(&["b", "a", ""], &[Some(0), None, Some(2), Some(1)]);
        let other = coded(&["a", "北京", "b"], &[Some(2), Some(1), None, Some(0)]);
        let mut last = Vec::new();
        for array in [&first, &other, &first, &other] {
            let found = function.replace(array).unwrap();
            assert_eq!(&texts(&found), &texts(array));
            last.push(Arc::clone(found.as_dictionary::<Int32Type>().values()));
        }
        assert_eq!(last[2].len(), 4);
        assert!(is_same(&last[1], &last[2]) && is_same(&last[2], &last[3]));
    }

    #[test]
    fn values_that_are_known_take_no_room() {
        let function = OneDictionary::default();
        let values: Vec<String> = (0..MOST_VALUES * 2 / 3).map(|i| i.to_string()).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let one = |array: &DictionaryArray<Int32Type>| {
            Arc::clone(
                function
                    .replace(array)
                    .unwrap()
                    .as_dictionary::<Int32Type>()
                    .values(),
            )
        };
        let (first, again) = (coded(&values, &[Some(7)]), coded(&values, &[Some(9)]));
        assert!(is_same(&one(&first), &one(&again)));
    }

    #[test]
    fn null_values_are_nulls() {
        let values: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
        let array = DictionaryArray::try_new(vec![Some(1), Some(0), None].into(), values).unwrap();
        let found = OneDictionary::default().replace(&array).unwrap();
        assert_eq!(
            found.as_dictionary::<Int32Type>().keys(),
            &Int32Array::from(vec![None, Some(0), None])
        );
    }

    #[test]
    fn a_column_of_many_values_keeps_its_dictionaries() {
        let function = OneDictionary::default();
        let small = coded(&["x"], &[Some(0)]);
        function.replace(&small).unwrap();
        let many: Vec<String> = (0..MOST_VALUES).map(|i| i.to_string()).collect();
        let many = coded(
            &many.iter().map(String::as_str).collect::<Vec<_>>(),
            &[Some(7), None],
        );
        let found = function.replace(&many).unwrap();
        assert!(is_same(
            found.as_dictionary::<Int32Type>().values(),
            many.values()
        ));
        assert_eq!(&texts(&function.replace(&small).unwrap()), &texts(&small));
    }
}
