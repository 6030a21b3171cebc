//! Compiles a kernel several times, for what the processor it runs on can do.
//!
//! Bench: `and`, `or` and `or of 20` in `benches/kernels.rs`, each beside its row `portable`.

/// What a kernel may use.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Level {
    /// What every processor of the architecture has.
    Baseline = 1,
    /// AVX2 with the bit-manipulation instructions.
    Avx2 = 2,
    /// AVX-512 with vector population count and compression of bytes.
    Avx512 = 3,
}

/// The level that kernels use; 0 until it is asked for.
#[cfg(target_arch = "x86_64")]
static LEVEL: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// The level that kernels use: the processor's, found once, unless another was chosen.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn level() -> Level {
    use std::sync::atomic::Ordering;
    match LEVEL.load(Ordering::Relaxed) {
        3 => Level::Avx512,
        2 => Level::Avx2,
        1 => Level::Baseline,
        _ => {
            let level = detect();
            LEVEL.store(level as u8, Ordering::Relaxed);
            level
        }
    }
}

/// The forms in which the loops over containers are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernels {
    /// The fastest that the processor can run.
    Native,
    /// The one that every processor of the architecture can run.
    Portable,
}

/// Chooses the form of the kernels for the whole process, from the next call of each on; without a
/// choice it is [`Kernels::Native`]. Both give the same bytes: this is for tests that show it and
/// for benches that say what the difference is worth.
pub fn use_kernels(kernels: Kernels) {
    #[cfg(target_arch = "x86_64")]
    {
        let level = match kernels {
            Kernels::Native => detect(),
            Kernels::Portable => Level::Baseline,
        };
        LEVEL.store(level as u8, std::sync::atomic::Ordering::Relaxed);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = kernels;
}

/// The form of the kernels that is in use; [`Kernels::Portable`] also where the processor has
/// nothing better.
pub fn kernels() -> Kernels {
    #[cfg(target_arch = "x86_64")]
    if level() != Level::Baseline {
        return Kernels::Native;
    }
    Kernels::Portable
}

#[cfg(target_arch = "x86_64")]
#[cold]
fn detect() -> Level {
    use std::is_x86_feature_detected as has;
    if !(has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt")) {
        return Level::Baseline;
    }
    let wide = has!("avx512f") && has!("avx512bw") && has!("avx512vl") && has!("avx512dq");
    if wide && has!("avx512vpopcntdq") && has!("avx512bitalg") && has!("avx512vbmi2") {
        Level::Avx512
    } else {
        Level::Avx2
    }
}

/// Defines a function whose portable body is compiled per [`Level`] and chosen when it is called.
macro_rules! per_cpu {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block)*) => {$(
        $(#[$meta])*
        #[inline]
        $vis fn $name($($arg: $type),*) $(-> $result)? {
            #[inline(always)]
            fn portable($($arg: $type),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            {
                use crate::kernels::cpu::{Level, level};
                #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
                fn avx2($($arg: $type),*) $(-> $result)? { portable($($arg),*) }
                #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,avx512bitalg")]
                fn avx512($($arg: $type),*) $(-> $result)? { portable($($arg),*) }
                match level() {
                    // SAFETY: `level` found every feature that the function is compiled for.
                    Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    Level::Avx2 => return unsafe { avx2($($arg),*) },
                    Level::Baseline => {}
                }
            }
            portable($($arg),*)
        }
    )*};
}
pub(crate) use per_cpu;
