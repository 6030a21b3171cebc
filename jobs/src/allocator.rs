//! The process's allocator, and how soon it gives memory back to the system.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 2 and 3, which the crate has no name for.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// Milliseconds after which freed memory goes back to the system; mimalloc waits a second, in which
/// a night frees and takes as much again as its limit.
const SOON_MS: i32 = 10;

/// From now on what is freed soon belongs to the system again: a limit of memory is one of what the
/// process takes. It costs system calls, so only a night with a limit asks for it.
pub fn give_back_early() {
    // SAFETY: the option is an atomic of the allocator, which any thread may set at any time.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, SOON_MS.into()) };
}
