//! Philox4x32-10 against the known answers published with Random123 (file `kat_vectors`, lines `philox4x32 10`).

use tandem_nn::random::philox::{Philox4x32, uniform};

#[test]
fn known_answers() {
    let cases: [([u32; 4], u64, [u32; 4]); 3] = [
        ([0; 4], 0, [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
        ([u32::MAX; 4], u64::MAX, [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]),
        (
            [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
            0x299f31d0_a4093822,
            [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
        ),
    ];
    for (counter, seed, expected) in cases {
        assert_eq!(Philox4x32::new(seed).block(counter), expected, "counter {counter:x?}");
    }
}

#[test]
fn uniform_covers_the_unit_interval_and_excludes_one() {
    assert_eq!(uniform(0), 0.0);
    assert_eq!(uniform(0xff), 0.0);
    assert_eq!(uniform(0x100), (2f32).powi(-24));
    assert_eq!(uniform(1 << 31), 0.5);
    assert_eq!(uniform(u32::MAX), 1.0 - (2f32).powi(-24));
}

/// The mean of n uniform numbers has standard deviation 1/√(12 n); six of them is a chance below 1e-8.
#[test]
fn uniform_words_are_centred() {
    let n = 1 << 16;
    let philox = Philox4x32::new(3);
    let sum: f64 =
        (0..n / 4).flat_map(|i| philox.block([i, 0, 0, 0])).map(|word| f64::from(uniform(word))).sum();
    let n = f64::from(n);
    assert!((sum / n - 0.5).abs() < 6.0 / (12.0 * n).sqrt());
}
