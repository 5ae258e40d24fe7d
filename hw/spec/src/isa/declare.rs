//! From a declaration of fields to a struct, its bits and its rows of the table; from the rows to the instructions.

use super::field::{Bits512, Opcode};
use super::instruction::{Loop, StoreWidth, Tokens};
use super::table::Memory;
use crate::config::MAX_LOOPS;

/// What an instruction carries.
pub(super) trait Payload {
    /// Sets its fields.
    fn put(&self, op: &Opcode, bits: &mut Bits512);
    /// Reads them; `None` if one has no meaning at all.
    fn take(op: &Opcode, bits: &Bits512) -> Option<Self>
    where
        Self: Sized;
    /// Its tokens.
    fn tokens(&self) -> Tokens {
        Tokens::default()
    }
    /// The same, to be changed, if it has any.
    fn tokens_mut(&mut self) -> Option<&mut Tokens> {
        None
    }
}

impl Payload for () {
    fn put(&self, _: &Opcode, _: &mut Bits512) {}
    fn take(_: &Opcode, _: &Bits512) -> Option<Self> {
        Some(())
    }
}

impl Payload for Tokens {
    fn put(&self, op: &Opcode, bits: &mut Bits512) {
        let all = [self.pop_prev, self.pop_next, self.push_prev, self.push_next];
        for (name, on) in Tokens::NAMES.into_iter().zip(all) {
            if let Some(f) = op.find(name) {
                bits.set(f, on.into());
            }
        }
    }
    fn take(op: &Opcode, bits: &Bits512) -> Option<Self> {
        let [pop_prev, pop_next, push_prev, push_next] =
            Tokens::NAMES.map(|name| op.find(name).is_some_and(|f| bits.field(f) == 1));
        Some(Tokens { pop_prev, pop_next, push_prev, push_next })
    }
    fn tokens(&self) -> Tokens {
        *self
    }
    fn tokens_mut(&mut self) -> Option<&mut Tokens> {
        Some(self)
    }
}

impl Payload for [Loop; MAX_LOOPS] {
    fn put(&self, op: &Opcode, bits: &mut Bits512) {
        for (level, l) in self.iter().enumerate() {
            let [count, row, col] = op.level(level).expect("an instruction with loops");
            bits.set(count, l.count.raw());
            bits.set(row, l.row_stride.raw());
            bits.set(col, l.col_stride.raw());
        }
    }
    fn take(op: &Opcode, bits: &Bits512) -> Option<Self> {
        let mut loops = [Loop::default(); MAX_LOOPS];
        for (level, l) in loops.iter_mut().enumerate() {
            let [count, row, col] = op.level(level)?.map(|f| bits.field(f));
            *l = Loop { count: u16::of(count)?, row_stride: i16::of(row)?, col_stride: i16::of(col)? };
        }
        Some(loops)
    }
}

/// A field's value as bits.
pub(super) trait Value: Copy {
    fn raw(self) -> u32;
    fn of(bits: u32) -> Option<Self>;
}

macro_rules! numbers {
    ($($t:ty as $unsigned:ty),*) => {
        $(impl Value for $t {
            fn raw(self) -> u32 {
                (self as $unsigned).into()
            }
            fn of(bits: u32) -> Option<Self> {
                Some(bits as $t)
            }
        })*
    };
}
numbers!(u8 as u8, u16 as u16, u32 as u32, i16 as u16, i32 as u32);

impl Value for bool {
    fn raw(self) -> u32 {
        self.into()
    }
    fn of(bits: u32) -> Option<Self> {
        Some(bits == 1)
    }
}

impl Value for Memory {
    fn raw(self) -> u32 {
        self.code()
    }
    fn of(bits: u32) -> Option<Self> {
        Memory::ALL.get(bits as usize).copied()
    }
}

impl Value for StoreWidth {
    fn raw(self) -> u32 {
        self as u32
    }
    fn of(bits: u32) -> Option<Self> {
        StoreWidth::ALL.get(bits as usize).copied()
    }
}

/// The rows of an instruction's tokens: bits 8 to 11.
macro_rules! tokens {
    ($($name:ident $doc:literal)*) => {
        &[$(Field::new(stringify!($name), Tokens::place(stringify!($name)), 1, $doc)),*]
    };
}
pub(super) use tokens;

/// Declares what an instruction carries: tokens, then `name: type = least value, first bit:bits (when (it is there))
/// "meaning" (in bounds);`, all that after the loops if there are any.
///
/// The struct's `Default` is the least valid instruction.
macro_rules! payload {
    (
        $(#[$doc:meta])* $Struct:ident $table:ident $(with $loops:ident)?:
        $($name:ident : $ty:ty = $default:expr, $offset:literal : $width:literal $(when ($present:expr))? $text:literal
            $(in $bound:expr)?;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $Struct {
            /// Tokens.
            pub tokens: Tokens,
            $(#[doc = $text] pub $name: $ty,)*
            $(/// Loop levels, the outermost first.
            pub $loops: [Loop; MAX_LOOPS],)?
        }

        /// Its fields.
        pub(super) const $table: &[Field] = &[$(
            Field {
                $(bound: Some($bound),)?
                $(present: $present,)?
                ..Field::new(stringify!($name), $offset, $width, $text)
            }
        ),*];

        /// The least valid one.
        impl Default for $Struct {
            fn default() -> Self {
                $Struct {
                    tokens: Tokens::default(),
                    $($name: $default,)*
                    $($loops: [Loop::default(); MAX_LOOPS],)?
                }
            }
        }

        impl Payload for $Struct {
            fn put(&self, op: &Opcode, bits: &mut Bits512) {
                self.tokens.put(op, bits);
                let mut fields = $table.iter();
                $(bits.set(*fields.next().expect(stringify!($name)), self.$name.raw());)*
                $(self.$loops.put(op, bits);)?
            }
            fn take(op: &Opcode, bits: &Bits512) -> Option<Self> {
                let mut fields = $table.iter();
                Some($Struct {
                    tokens: Tokens::take(op, bits)?,
                    $($name: Value::of(bits.field(*fields.next().expect(stringify!($name))))?,)*
                    $($loops: Payload::take(op, bits)?,)?
                })
            }
            fn tokens(&self) -> Tokens {
                self.tokens
            }
            fn tokens_mut(&mut self) -> Option<&mut Tokens> {
                Some(&mut self.tokens)
            }
        }
    };
}
pub(super) use payload;

/// Declares [`Instruction`](super::Instruction) and [`OPCODES`](super::OPCODES):
/// `Variant(payload: what it carries) "NAME" { what else its row says }`, without the parentheses if it carries nothing. The doc
/// comment is the row's sentence.
macro_rules! instructions {
    (@or $none:expr;) => { $none };
    (@or $none:expr; $some:expr) => { $some };
    ($($(#[doc = $doc:literal])+ $Variant:ident $(($payload:ident: $Payload:ty))? $name:literal { $($row:tt)* })*) => {
        /// Any instruction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Instruction { $($(#[doc = $doc])+ $Variant $(($Payload))?,)* }

        /// Every instruction. The RTL numbers those that are generated from 0.
        pub const OPCODES: &[Opcode] =
            &[$(Opcode { name: $name, doc: concat!($($doc),+).trim_ascii(), $($row)* },)*];

        /// The rows, in order.
        enum Place { $($Variant,)* }

        impl Instruction {
            /// The place of its row in [`OPCODES`].
            pub fn place(&self) -> usize {
                (match self { $(Instruction::$Variant { .. } => Place::$Variant,)* }) as usize
            }

            /// What it carries.
            pub(super) fn payload(&self) -> &dyn Payload {
                match self {
                    $(Instruction::$Variant $(($payload))? => instructions!(@or &(); $($payload)?),)*
                }
            }

            /// Its tokens, if it has any.
            pub(super) fn own_tokens(&mut self) -> Option<&mut Tokens> {
                match self {
                    $(Instruction::$Variant $(($payload))? => instructions!(@or None; $($payload.tokens_mut())?),)*
                }
            }

            /// That of a row, out of its bits; `None` if a field has no meaning at all.
            pub(super) fn take(place: usize, bits: &Bits512) -> Option<Self> {
                let op = &OPCODES[place];
                $(if place == Place::$Variant as usize {
                    return Some(Instruction::$Variant $((<$Payload as Payload>::take(op, bits)?))?);
                })*
                None
            }
        }
    };
}
pub(super) use instructions;
