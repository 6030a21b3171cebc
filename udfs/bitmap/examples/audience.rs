//! Sets of user numbers as bytes, as they stand in a file or in a column: written, read in place,
//! combined and counted.
//!
//! `cargo run -p tagmill-bitmap --example audience`

use tagmill_bitmap::{BitmapRef, Defect, and_cardinality, and_not, write_sorted_u64};

fn bitmap(users: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let users: Vec<u64> = users.into_iter().collect();
    let mut bytes = Vec::new();
    write_sorted_u64(&users, &mut bytes);
    bytes
}

fn main() -> Result<(), Defect> {
    let visitors = bitmap(1_000..60_000);
    let buyers = bitmap((0..60_000).step_by(7));

    // Bytes from elsewhere are checked once; nothing is decoded.
    let (visitors, buyers) = (BitmapRef::parse(&visitors)?, BitmapRef::parse(&buyers)?);
    println!("{} visitors", visitors.cardinality());
    println!("{} of them bought", and_cardinality(&visitors, &buyers));

    let mut audience = Vec::new();
    and_not(&visitors, &buyers, &mut audience);
    let others = BitmapRef::parse(&audience)?;
    let first: Vec<u64> = others.iter().take(5).collect();
    println!(
        "{} did not, in {} bytes: {first:?} ...",
        others.cardinality(),
        audience.len()
    );
    Ok(())
}
