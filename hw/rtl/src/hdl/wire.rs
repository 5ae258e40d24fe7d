//! Interfaces: [`bundle!`](crate::bundle) names the wires between two units once, [`join_all`] connects them in
//! one statement.
//!
//! ```text
//! bundle! { pub struct Words<D>(bits: usize) { valid, data } back { ready } }
//!
//! source: Words<Out>  ── valid, data ──►  sink: Words<In>        wire::join_all(&mut self.source.words, &mut self.sink.words);
//!                     ◄───── ready ─────
//! ```
//! rust_hdl's own `LogicInterface` wants a second struct with every direction turned, and types that know their
//! widths; here the direction is a parameter ([`Side`]), and the back end finds the wires by their names.
use super::sig::Sig;
use super::word::Word;
use rust_hdl::core::ast::{VerilogLink, VerilogLinkDetails};
use rust_hdl::prelude::*;

/// A direction that has an opposite: `In` and `Out`; `Local` is its own.
pub trait Side: Direction + Sized {
    /// The direction of wires that run against the others.
    type Back: Side<Back = Self>;
    /// What a unit reads from its signal.
    fn value<T: Synth>(signal: &Signal<Self, T>) -> T;
    /// What a unit reads from its signal.
    fn word(signal: &Sig<Self>) -> Word;
}

macro_rules! side {
    ($d:ident, $back:ident) => {
        impl Side for $d {
            type Back = $back;
            fn value<T: Synth>(signal: &Signal<Self, T>) -> T {
                signal.val()
            }
            fn word(signal: &Sig<Self>) -> Word {
                signal.val()
            }
        }
    };
}
side!(In, Out);
side!(Out, In);
side!(Local, Local);

/// Wires that can be connected to those of `To`.
pub trait Join<To> {
    /// Values run from here to there; those of `back` wires from there to here.
    fn join(&mut self, to: &mut To);
}

impl<A: Side, B: Side, T: Synth> Join<Signal<B, T>> for Signal<A, T> {
    fn join(&mut self, to: &mut Signal<B, T>) {
        to.next = A::value(self);
    }
}

impl<A: Side, B: Side> Join<Sig<B>> for Sig<A> {
    fn join(&mut self, to: &mut Sig<B>) {
        to.next = A::word(self);
    }
}

impl<A: Join<B>, B> Join<Vec<B>> for Vec<A> {
    fn join(&mut self, to: &mut Vec<B>) {
        assert_eq!(self.len(), to.len(), "joined vectors have one length");
        self.iter_mut().zip(to).for_each(|(a, b)| a.join(b));
    }
}

/// `n` wires of one bit.
pub fn bits<D: Direction>(n: usize) -> Vec<Signal<D, Bit>> {
    (0..n).map(|_| Signal::default()).collect()
}

/// A statement of a kernel: connects all wires of `from` to those of `to`, two bundles of one type, two signals or
/// two `Vec`s. `from` is where values come from: an input of the unit, an output of a child, or a local; `to` is
/// an output of the unit, an input of a child, or a local. `back` wires run the other way.
pub fn join_all<A: Join<B>, B>(from: &mut A, to: &mut B) {
    from.join(to);
}

/// [`join_all`] for the back end, which finds the wires below the two names.
///
/// rust_hdl's macro takes every call `….::join…` for a join and asks for this function.
#[doc(hidden)]
pub fn join_hdl(_: &str, from: &str, to: &str) -> Vec<VerilogLink> {
    let details =
        VerilogLinkDetails { my_name: String::new(), owner_name: from.into(), other_name: to.into() };
    vec![VerilogLink::Forward(details)]
}

/// Declares an interface: `struct Name<D>(parameters) { wires } back { wires that run the other way }`.
///
/// A wire is `name: Type = initial value`, its type in terms of `D`, or of `D::Back` among the `back` ones:
/// `Signal<D, Bit>`, `Sig<D>`, another bundle, or a `Vec` of these. A unit holds a bundle as `Name<In>`, `Name<Out>`
/// or `Name<Local>`; the wire `valid` of its field `words` is its port `words_valid`.
#[macro_export]
macro_rules! bundle {
    ($(#[$m:meta])* $v:vis struct $name:ident<$d:ident>($($a:ident: $at:ty),* $(,)?) {
        $($(#[$fm:meta])* $f:ident: $t:ty $(= $i:expr)?),* $(,)?
    } $(back {
        $($(#[$bm:meta])* $b:ident: $bt:ty $(= $bi:expr)?),* $(,)?
    })?) => {
        $(#[$m])* $v struct $name<$d: $crate::hdl::wire::Side> {
            $($(#[$fm])* pub $f: $t,)*
            $($($(#[$bm])* pub $b: $bt,)*)?
        }
        impl<$d: $crate::hdl::wire::Side> $name<$d> {
            /// The wires for these parameters.
            #[allow(clippy::new_without_default, reason = "a bundle is made where it is declared")]
            $v fn new($($a: $at),*) -> Self {
                $name {
                    $($f: $crate::unit!(@init $($i)?),)*
                    $($($b: $crate::unit!(@init $($bi)?),)*)?
                }
            }
        }
        impl<A: $crate::hdl::wire::Side, B: $crate::hdl::wire::Side> $crate::hdl::wire::Join<$name<B>> for $name<A> {
            fn join(&mut self, to: &mut $name<B>) {
                $($crate::hdl::wire::Join::join(&mut self.$f, &mut to.$f);)*
                $($($crate::hdl::wire::Join::join(&mut to.$b, &mut self.$b);)*)?
            }
        }
        impl<D: $crate::hdl::wire::Side> $crate::hdl::unit::Field for $name<D> {}
        impl<D: $crate::hdl::wire::Side> ::rust_hdl::prelude::Logic for $name<D> {
            fn update(&mut self) {}
        }
        impl<D: $crate::hdl::wire::Side> ::rust_hdl::prelude::Block for $name<D> {
            fn connect_all(&mut self) {
                $(self.$f.connect_all();)*
                $($(self.$b.connect_all();)*)?
            }
            fn update_all(&mut self) {
                $(self.$f.update_all();)*
                $($(self.$b.update_all();)*)?
            }
            fn has_changed(&self) -> bool {
                false $(|| self.$f.has_changed())* $($(|| self.$b.has_changed())*)?
            }
            fn accept(&self, name: &str, probe: &mut dyn ::rust_hdl::prelude::Probe) {
                probe.visit_start_namespace(name, self);
                $(self.$f.accept(stringify!($f), probe);)*
                $($(self.$b.accept(stringify!($b), probe);)*)?
                probe.visit_end_namespace(name, self);
            }
        }
    };
}
