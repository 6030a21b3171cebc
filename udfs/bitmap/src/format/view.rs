//! A serialized 64-bit bitmap, read in place.

use super::bucket::Bitmap32Ref;
use super::check::Check;
use super::cursor::Cursor;
use super::defect::Defect;

/// Smallest bucket: high word, cookie, container count.
const BUCKET_LEAST: u64 = 12;

/// A checked view of portable 64-bit Roaring bytes; copies and decodes nothing.
///
/// Accepts any valid encoding, canonical or not, including buckets without values; see [`Defect`]
/// for what is refused.
#[derive(Debug, Clone, Copy)]
pub struct BitmapRef<'a> {
    bytes: &'a [u8],
    buckets: u64,
    cardinality: u64,
    /// The first bucket with its high word: most bitmaps have no other.
    first: Option<(u32, Bitmap32Ref<'a>)>,
    /// Where the second bucket would start.
    second_at: usize,
}

impl<'a> BitmapRef<'a> {
    /// Checks everything, in one pass over the bytes without allocating.
    ///
    /// # Errors
    /// The first [`Defect`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Defect> {
        Self::checked(bytes, Check::Everything)
    }

    /// Checks sizes, keys, offsets and runs, but neither the order inside arrays nor the number of
    /// bits in bitsets: for bytes whose checksum has been verified, or where only the cardinality
    /// is wanted.
    ///
    /// Bytes with such a defect give wrong values later, never a panic.
    ///
    /// # Errors
    /// The first [`Defect`] of the layout.
    pub fn parse_layout(bytes: &'a [u8]) -> Result<Self, Defect> {
        Self::checked(bytes, Check::Layout)
    }

    fn checked(bytes: &'a [u8], check: Check) -> Result<Self, Defect> {
        let mut cursor = Cursor::new(bytes);
        let count = cursor.take_u64()?;
        let most = cursor.rest.len() as u64 / BUCKET_LEAST;
        if count > most {
            return Err(Defect::TooManyBuckets { found: count, most });
        }
        let mut bitmap = Self {
            bytes,
            buckets: count,
            cardinality: 0,
            first: None,
            second_at: cursor.at,
        };
        let mut previous = None;
        for _ in 0..count {
            let at = cursor.at;
            let found = cursor.take_u32()?;
            if let Some(previous) = previous
                && found <= previous
            {
                return Err(Defect::UnorderedHighs {
                    at,
                    found,
                    previous,
                });
            }
            previous = Some(found);
            let (bucket, cardinality) = Bitmap32Ref::parse(&mut cursor, check)?;
            bitmap.cardinality += cardinality;
            if bitmap.first.is_none() {
                bitmap.first = Some((found, bucket));
                bitmap.second_at = cursor.at;
            }
        }
        cursor.finish()?;
        Ok(bitmap)
    }

    /// The bytes behind the view.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Number of values.
    #[inline]
    pub fn cardinality(&self) -> u64 {
        self.cardinality
    }

    /// Whether there are no values.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.cardinality == 0
    }

    /// The bucket of a bitmap that has no other.
    #[inline]
    pub(crate) fn only_bucket(&self) -> Option<(u32, &Bitmap32Ref<'a>)> {
        self.first
            .as_ref()
            .filter(|_| self.buckets == 1)
            .map(|(high, bucket)| (*high, bucket))
    }

    /// The buckets with their high words, ascending.
    #[inline]
    pub fn buckets(&self) -> Buckets<'a> {
        Buckets {
            first: self.first,
            bytes: self.bytes,
            at: self.second_at,
            left: self.buckets.saturating_sub(1),
        }
    }

    /// The values whose high word is `high`, without it.
    pub fn bucket(&self, high: u32) -> Option<Bitmap32Ref<'a>> {
        self.buckets()
            .take_while(|(found, _)| *found <= high)
            .find(|(found, _)| *found == high)
            .map(|(_, bucket)| bucket)
    }

    /// Whether the value is in the bitmap.
    pub fn contains(&self, value: u64) -> bool {
        self.bucket((value >> 32) as u32)
            .is_some_and(|bucket| bucket.contains(value as u32))
    }

    /// All values, ascending, decoded container by container.
    pub fn iter(&self) -> impl Iterator<Item = u64> + use<'a> {
        self.buckets().flat_map(|(high, bucket)| {
            bucket.containers().flat_map(move |(key, container)| {
                let mut values = Vec::with_capacity(container.cardinality() as usize);
                container.append_to(u32::from(key) << 16, &mut values);
                values
                    .into_iter()
                    .map(move |value| u64::from(high) << 32 | u64::from(value))
            })
        })
    }

    /// Appends all values, ascending.
    pub fn append_to(&self, out: &mut Vec<u64>) {
        out.reserve(self.cardinality as usize);
        out.extend(self.iter());
    }
}

/// Iterator over the buckets of a [`BitmapRef`].
#[derive(Debug, Clone)]
pub struct Buckets<'a> {
    first: Option<(u32, Bitmap32Ref<'a>)>,
    bytes: &'a [u8],
    /// Where the next bucket after the first starts.
    at: usize,
    /// Buckets from there on.
    left: u64,
}

impl<'a> Iterator for Buckets<'a> {
    type Item = (u32, Bitmap32Ref<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        self.left = self.left.checked_sub(1)?;
        let mut cursor = Cursor {
            rest: self.bytes.get(self.at..)?,
            at: self.at,
        };
        let high = cursor.take_u32().ok()?;
        let bucket = Bitmap32Ref::reparse(&mut cursor).ok()?;
        self.at = cursor.at;
        Some((high, bucket))
    }
}
