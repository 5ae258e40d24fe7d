//! [`unit!`](crate::unit): a unit's fields with their initial values, declared once; and what happens to the
//! fields before a kernel runs ([`Field`]).
//!
//! ```text
//! clock edge ─► unit: prepare every field (its clock is the unit's, a register keeps its value) ─► kernel ─► fields
//! ```
//! The Verilog back end does the same: a child's `clock` is connected, and a register that a kernel does not
//! assign on every path keeps its value.
use super::constant::{Const, Dim, Flag};
use super::sig::Sig;
use rust_hdl::prelude::*;

/// Something that a unit may hold.
pub trait Field {
    /// Before the kernel: the unit's clock, and for a register `d = q`.
    fn prepare(&mut self, _clock: Clock) {}
}

impl<D: Direction> Field for Sig<D> {}
impl<D: Direction, T: Synth> Field for Signal<D, T> {}
impl Field for Const {}
impl Field for Dim {}
impl Field for Flag {}

impl<F: Field> Field for Vec<F> {
    fn prepare(&mut self, clock: Clock) {
        self.iter_mut().for_each(|f| f.prepare(clock));
    }
}

impl<T: Synth> Field for DFF<T> {
    fn prepare(&mut self, clock: Clock) {
        self.clock.next = clock;
        self.d.next = self.q.val();
    }
}

/// Declares a unit: `struct Name(parameters) { let …; clock, fields }`.
///
/// A field is `name: Type = initial value`, or `name: Type` for the type's default. Values see the parameters and
/// what `let` binds before the fields. `clock,` is the first field of a unit with registers; it reaches all
/// children without further ado. The unit gets `new(parameters)`, rust_hdl's `Block` and [`Field`]; its kernel is
/// an `impl Logic` beside it.
#[macro_export]
macro_rules! unit {
    (@lets $m:tt $n:tt $a:tt [$($l:tt)*] let $p:ident: $t:ty = $e:expr; $($rest:tt)*) => {
        $crate::unit! { @lets $m $n $a [$($l)* let $p: $t = $e;] $($rest)* }
    };
    (@lets $m:tt $n:tt $a:tt [$($l:tt)*] let $p:pat = $e:expr; $($rest:tt)*) => {
        $crate::unit! { @lets $m $n $a [$($l)* let $p = $e;] $($rest)* }
    };
    (@lets $m:tt [$v:vis $name:ident] $a:tt $l:tt clock, $($(#[$fm:meta])* $fv:vis $f:ident: $t:ty $(= $i:expr)?),* $(,)?) => {
        $crate::unit! { @declare $m [$v $name] $a $l
            /// Clock.
            pub clock: ::rust_hdl::prelude::Signal<::rust_hdl::prelude::In, ::rust_hdl::prelude::Clock>,
            $($(#[$fm])* $fv $f: $t $(= $i)?,)*
        }
        impl $name {
            fn prepare_fields(&mut self) {
                let clock = self.clock.val();
                $($crate::hdl::unit::Field::prepare(&mut self.$f, clock);)*
            }
        }
        impl $crate::hdl::unit::Field for $name {
            fn prepare(&mut self, clock: ::rust_hdl::prelude::Clock) {
                self.clock.next = clock;
            }
        }
        impl $crate::hdl::names::Clocked for $name {}
    };
    (@lets $m:tt [$v:vis $name:ident] $a:tt $l:tt $($rest:tt)*) => {
        $crate::unit! { @declare $m [$v $name] $a $l $($rest)* }
        impl $name {
            fn prepare_fields(&mut self) {}
        }
        impl $crate::hdl::unit::Field for $name {}
    };
    (@declare [$($m:tt)*] [$v:vis $name:ident] [$($a:tt)*] [$($l:tt)*] $($(#[$fm:meta])* $fv:vis $f:ident: $t:ty $(= $i:expr)?),* $(,)?) => {
        $($m)* $v struct $name {
            $($(#[$fm])* $fv $f: $t,)*
        }
        impl $name {
            /// The unit for these parameters.
            #[allow(clippy::new_without_default, reason = "a unit is made where it is declared")]
            $v fn new($($a)*) -> Self {
                $($l)*
                $name { $($f: $crate::unit!(@init $($i)?),)* }
            }
        }
        impl ::rust_hdl::prelude::Block for $name {
            fn connect_all(&mut self) {
                ::rust_hdl::prelude::Logic::connect(self);
                $(self.$f.connect_all();)*
            }
            fn update_all(&mut self) {
                self.prepare_fields();
                ::rust_hdl::prelude::Logic::update(self);
                $(self.$f.update_all();)*
            }
            fn has_changed(&self) -> bool {
                $(self.$f.has_changed())||*
            }
            fn accept(&self, name: &str, probe: &mut dyn ::rust_hdl::prelude::Probe) {
                probe.visit_start_scope(name, self);
                $(self.$f.accept(stringify!($f), probe);)*
                probe.visit_end_scope(name, self);
            }
        }
    };
    (@init) => { ::std::default::Default::default() };
    (@init $e:expr) => { $e };
    ($(#[$m:meta])* $v:vis struct $name:ident($($a:ident: $t:ty),* $(,)?) { $($body:tt)* }) => {
        $crate::unit! { @lets [$(#[$m])*] [$v $name] [$($a: $t),*] [] $($body)* }
    };
}
