//! Philox4x32-10, the counter-based generator behind every random choice of training.
//!
//! A block is a pure function of (key, counter), so a random number is addressed by what it is for (step, layer, flat
//! index) and not by how many were drawn before it: results do not depend on threads, tiling or resumption.
//!
//! One round, with the 64-bit products `p0 = M0·c0` and `p1 = M1·c2`:
//!
//! ```text
//! c ← [hi(p1) ⊕ c1 ⊕ k0,  lo(p1),  hi(p0) ⊕ c3 ⊕ k1,  lo(p0)]      k ← k + (W0, W1)
//! ```
//!
//! ```
//! use tandem_nn::random::philox::{Philox4x32, uniform};
//! let (step, layer, index) = (7, 2, 40);
//! let words = Philox4x32::new(1).block([index / 4, 0, layer, step]);
//! let u = uniform(words[index as usize % 4]);
//! assert!((0.0..1.0).contains(&u));
//! ```

const M0: u32 = 0xD251_1F53;
const M1: u32 = 0xCD9E_8D57;
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;
const ROUNDS: u32 = 10;

/// A Philox4x32-10 generator: a key, and no other state.
///
/// # Source   Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Philox4x32 {
    key: [u32; 2],
}

impl Philox4x32 {
    /// The generator whose key is `seed`: low word first.
    pub const fn new(seed: u64) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32] }
    }

    /// The four random words at `counter`.
    ///
    /// Branch-free and always inlined, so that a loop over counters vectorises.
    #[inline(always)]
    pub const fn block(&self, counter: [u32; 4]) -> [u32; 4] {
        let [mut c0, mut c1, mut c2, mut c3] = counter;
        let [mut k0, mut k1] = self.key;
        let mut round = 0;
        while round < ROUNDS {
            let p0 = M0 as u64 * c0 as u64;
            let p1 = M1 as u64 * c2 as u64;
            c0 = (p1 >> 32) as u32 ^ c1 ^ k0;
            c1 = p1 as u32;
            c2 = (p0 >> 32) as u32 ^ c3 ^ k1;
            c3 = p0 as u32;
            k0 = k0.wrapping_add(W0);
            k1 = k1.wrapping_add(W1);
            round += 1;
        }
        [c0, c1, c2, c3]
    }
}

/// A random word as a number in [0, 1).
///
/// # Numeric  the top 24 bits times 2⁻²⁴: exact, at most 1 − 2⁻²⁴
#[inline(always)]
pub const fn uniform(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / (1u32 << 24) as f32)
}
