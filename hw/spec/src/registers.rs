//! The registers that `READ` returns, in their order on the link.

use crate::config::{Config, Counting};

/// A 32-bit register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Name, the same in hardware, twin, JSON and docs.
    pub name: &'static str,
    /// What it holds, exactly.
    pub doc: &'static str,
}

macro_rules! registers {
    ($($name:ident $doc:literal;)*) => {
        /// All registers in order.
        pub const REGISTERS: &[Register] = &[$(Register { name: stringify!($name), doc: $doc }),*];

        /// The registers' values.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $(#[doc = $doc] pub $name: u32,)*
        }

        impl Counters {
            /// From the words of a register packet.
            pub fn from_words(words: &[u32]) -> Option<Self> {
                let mut w = words.iter().copied();
                Some(Counters { $($name: w.next()?,)* })
            }

            /// In register order.
            pub fn to_words(&self) -> Vec<u32> {
                vec![$(self.$name),*]
            }
        }
    };
}

registers! {
    identity "0x7a9d and the version of the instruction set: 0x7a9d0002";
    config_lo "low half of the configuration's hash";
    config_hi "high half of the configuration's hash";
    total "cycles since the first link word was taken after the last restart, that cycle and the sampled one included";
    load_busy "cycles in which the load engine takes a payload or checks it";
    compute_busy "cycles that issue a step of digit products or read a sample of a transform";
    drain "cycles that write a result word to the result memory";
    store_busy "cycles in which the store engine is not idle";
    wait_load "cycles in which a LOAD waits for a token";
    wait_compute "cycles in which a COMPUTE or a TRANSFORM waits for a token";
    wait_store "cycles in which a STORE or READ waits for a token";
    wait_queue "cycles in which the front end waits for room in a queue";
    wait_link_in "cycles in which a payload word is wanted and none is there";
    wait_link_out "cycles in which an output word is not taken";
    wait_drain "cycles in which a tile's last step waits for the drain";
    products "steps times valid rows times valid columns: digit products / lanes, modulo 2^32";
    skipped "digit products / lanes that N:M selection avoided, modulo 2^32";
    span "cycles from the first to the last issued step (sample read), both included";
    instructions "instructions dispatched";
    words_in "link words taken";
}

impl Counters {
    /// What a READ returns where these would be the values if all were generated.
    pub fn generated(self, config: &Config) -> Self {
        match config.counters {
            Counting::All => self,
            Counting::Total => {
                let Counters { identity, config_lo, config_hi, total, .. } = self;
                Counters { identity, config_lo, config_hi, total, ..Counters::default() }
            }
        }
    }
}

/// Value of the `identity` register.
pub const IDENTITY: u32 = 0x7a9d_0002;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_units_and_round_trip() {
        assert_eq!(REGISTERS.len() % 4, 0, "a packet holds whole 128-bit units");
        let words: Vec<u32> = (1..=REGISTERS.len() as u32).collect();
        assert_eq!(Counters::from_words(&words).unwrap().to_words(), words);
        assert!(Counters::from_words(&words[1..]).is_none());
    }
}
