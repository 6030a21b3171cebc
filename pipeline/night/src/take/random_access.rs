//! Memory that is read at random: how it is made, and what processor and system are told of it.

use std::mem::MaybeUninit;

/// From so many bytes on large pages are asked for: so many of them that the last, of which a part
/// may stay free, does not count.
const LARGE: usize = 8 << 20;
/// Where a large page may begin.
const LARGE_PAGE: usize = 2 << 20;

/// A zeroed `Vec` whose pages are already written. `alloc_zeroed` pages fault twice, on first read
/// and on first write.
pub fn zeroed<T: Copy + Default>(len: usize) -> Vec<T> {
    let mut zeros = Vec::with_capacity(len);
    in_large_pages(zeros.spare_capacity_mut());
    zeros.resize(std::hint::black_box(len), T::default());
    zeros
}

/// Asks the system to map room that is not touched yet in large pages: in small ones nearly every
/// access waits for a translation of its address. The system may refuse, and where there is no such
/// advice nothing happens.
pub fn in_large_pages<T>(room: &mut [MaybeUninit<T>]) {
    #[cfg(target_os = "linux")]
    if size_of_val(room) >= LARGE {
        let start = room.as_ptr().addr();
        let skipped = start.next_multiple_of(LARGE_PAGE) - start;
        let bytes = (size_of_val(room) - skipped) / LARGE_PAGE * LARGE_PAGE;
        // SAFETY: the range lies inside `room`, and the advice changes no content.
        unsafe {
            libc::madvise(
                room.as_mut_ptr().byte_add(skipped).cast(),
                bytes,
                libc::MADV_HUGEPAGE,
            )
        };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = room;
}

/// Asks for the cache line of `items[at]`; does nothing where the processor has no such
/// instruction.
#[inline(always)]
pub fn prefetch<T>(items: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if at < items.len() {
        // SAFETY: the address is inside the slice, and a prefetch reads nothing.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(items.as_ptr().add(at).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (items, at);
}
