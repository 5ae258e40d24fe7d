//! Names: of modules (from Rust types) and of signals inside a module (from field paths).
//!
//! rust_hdl shows a back end only instance names. Its `Logic::timing` hook, which nothing else
//! uses here, carries what is missing: the module's name, the Rust type, and which ports of a
//! hand-written cell are sampled by the clock or come straight from a register. A unit says `named!`
//! in its `impl Logic` block and its module is called after its type (`DotProduct` becomes
//! `dot_product`); without it, after the field that holds the instance.
use rust_hdl::prelude::TimingInfo;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Names the Verilog module of a unit after its Rust type, or after `format!` arguments: `named!("fft_unit")`,
/// `named!(self => "fft_{}", self.n.val())`.
///
/// Goes into the `impl Logic` block, beside the kernel.
#[macro_export]
macro_rules! named {
    () => {
        fn timing(&self) -> ::std::vec::Vec<::rust_hdl::prelude::TimingInfo> {
            #[allow(unused_imports, reason = "only units without a clock need it")]
            use $crate::hdl::names::{self, Plain as _};
            names::unit::<Self>(names::of_type::<Self>(), names::Declared::<Self>::CLOCK)
        }
    };
    ($format:literal) => {
        $crate::named!(self => $format);
    };
    ($this:ident => $($format:tt)+) => {
        fn timing(&$this) -> ::std::vec::Vec<::rust_hdl::prelude::TimingInfo> {
            #[allow(unused_imports, reason = "only units without a clock need it")]
            use $crate::hdl::names::{self, Plain as _};
            names::unit::<Self>(::std::format!($($format)+), names::Declared::<Self>::CLOCK)
        }
    };
}

/// What `Logic::timing` answers for the unit `T` with a kernel: the name of its module, and the clock that its
/// children have without saying so.
pub fn unit<T>(module: String, clock: &str) -> Vec<TimingInfo> {
    let outputs = vec![std::any::type_name::<T>().into()];
    vec![TimingInfo { name: module, clock: clock.into(), inputs: vec![], outputs }]
}

/// The Rust type behind such an answer: the last of the outputs is not one.
pub(crate) fn type_of(timing: &TimingInfo) -> &str {
    timing.outputs.last().filter(|o| o.contains("::")).map_or("", String::as_str)
}

/// A unit that [`unit!`](crate::unit) declares with a clock.
pub trait Clocked {}

/// How `named!` sees whether its unit is [`Clocked`]: `CLOCK` is the inherent constant of those that are, and
/// [`Plain`]'s of the others.
pub struct Declared<U>(std::marker::PhantomData<U>);

impl<U: Clocked> Declared<U> {
    /// Name of the clock.
    pub const CLOCK: &'static str = "clock";
}

/// A unit without a clock of its own, or one that connects its children's by hand.
pub trait Plain {
    /// No name.
    const CLOCK: &'static str = "";
}

impl<U> Plain for Declared<U> {}

/// What `Logic::timing` answers for the cell `T`, which carries its own Verilog.
///
/// `sampled` lists the inputs that act only at the clock edge, `registered` the outputs that change
/// only there. Every other output is taken to depend at once on every other input.
pub fn cell<T>(module: String, sampled: &[&str], registered: &[&str]) -> Vec<TimingInfo> {
    let own = |l: &[&str]| l.iter().map(|s| s.to_string()).collect();
    let mut outputs: Vec<String> = own(registered);
    outputs.push(std::any::type_name::<T>().into());
    vec![TimingInfo { name: module, clock: "clock".into(), inputs: own(sampled), outputs }]
}

/// The last segment of a type's path in snake case: `a::b::DotProduct<T>` → `dot_product`.
pub fn of_type<T: ?Sized>() -> String {
    let path = std::any::type_name::<T>();
    let plain = path.split('<').next().unwrap_or(path);
    snake_case(plain.rsplit("::").next().unwrap_or(plain))
}

fn snake_case(camel: &str) -> String {
    let chars: Vec<char> = camel.chars().collect();
    let mut out = String::new();
    for (i, c) in chars.iter().enumerate() {
        let after_lower = i > 0 && !chars[i - 1].is_uppercase() && chars[i - 1] != '_';
        let starts_word =
            i > 0 && chars[i - 1].is_uppercase() && chars.get(i + 1).is_some_and(|n| n.is_lowercase());
        if c.is_uppercase() && (after_lower || starts_word) {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Hands out Verilog identifiers that are unique within one scope.
#[derive(Clone, Default)]
pub(crate) struct Namer {
    used: HashSet<String>,
}

impl Namer {
    /// A name for the field path `key`, whose parts are separated by `$`: `pe$3$acc` → `pe_3_acc`.
    ///
    /// The `_` that tells a field from a keyword of Rust is no part of its name: `in_$valid` → `in_valid`.
    pub(crate) fn signal(&mut self, key: &str) -> String {
        let plain = key.replace("_$", "$").replace('$', "_");
        if !self.used.contains(&plain) && !is_keyword(&plain) {
            self.used.insert(plain.clone());
            return plain;
        }
        self.unique(&plain)
    }

    /// `base`, or `base_2`, `base_3`, … whichever is free first.
    pub(crate) fn unique(&mut self, base: &str) -> String {
        let free = (1..)
            .map(|i| if i == 1 { base.to_string() } else { format!("{base}_{i}") })
            .find(|n| !self.used.contains(n) && !is_keyword(n))
            .expect("the numbers do not end");
        self.used.insert(free.clone());
        free
    }
}

/// Whether `name` can be written as a plain Verilog identifier.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !is_keyword(name)
}

/// Whether `name` is reserved in Verilog.
pub fn is_keyword(name: &str) -> bool {
    static SET: LazyLock<HashSet<&str>> = LazyLock::new(|| KEYWORDS.iter().copied().collect());
    SET.contains(name)
}

/// Reserved words of Verilog-2005 and those of SystemVerilog that are plausible field names.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "always", "and", "assign", "automatic", "begin", "buf", "case", "cell", "config", "deassign", "default", "defparam",
    "design", "disable", "edge", "else", "end", "endcase", "endmodule", "event", "for", "force", "forever", "fork",
    "function", "generate", "genvar", "if", "include", "initial", "inout", "input", "instance", "integer", "join",
    "large", "library", "localparam", "macromodule", "medium", "module", "nand", "negedge", "nmos", "nor", "not", "or",
    "output", "parameter", "pmos", "posedge", "primitive", "pull0", "pull1", "real", "realtime", "reg", "release",
    "repeat", "scalared", "signed", "small", "specify", "strong0", "strong1", "supply0", "supply1", "table", "task",
    "time", "tran", "tri", "tri0", "tri1", "triand", "trior", "unsigned", "use", "vectored", "wait", "wand", "weak0",
    "weak1", "while", "wire", "wor", "xnor", "xor", "alias", "assert", "assume", "before", "bind", "bit", "break",
    "byte", "chandle", "checker", "class", "clocking", "const", "constraint", "context", "continue", "cover", "cross",
    "dist", "do", "endclass", "enum", "expect", "export", "extends", "extern", "final", "global", "iff", "import",
    "inside", "int", "interface", "let", "local", "logic", "longint", "matches", "modport", "new", "null", "package",
    "packed", "priority", "program", "property", "protected", "pure", "rand", "ref", "restrict", "return", "sequence",
    "shortint", "solve", "static", "string", "strong", "struct", "super", "tagged", "this", "throughout", "type",
    "typedef", "union", "unique", "until", "untyped", "var", "virtual", "void", "weak", "with", "within",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_become_module_names() {
        for (camel, snake) in [
            ("DotProduct", "dot_product"),
            ("Pe", "pe"),
            ("FFTStage", "fft_stage"),
            ("Crc32", "crc32"),
            ("MacArray8x8", "mac_array8x8"),
        ] {
            assert_eq!(snake_case(camel), snake);
        }
        assert_eq!(of_type::<Namer>(), "namer");
        assert_eq!(of_type::<Vec<Namer>>(), "vec");
    }

    #[test]
    fn signal_names_are_plain_and_unique() {
        let mut n = Namer::default();
        assert_eq!(n.signal("data$0"), "data_0");
        assert_eq!(n.signal("data_0"), "data_0_2");
        assert_eq!(n.signal("end"), "end_2");
    }

    #[test]
    fn identifiers() {
        assert!(is_identifier("top") && is_identifier("_a1"));
        assert!(
            !is_identifier("") && !is_identifier("1a") && !is_identifier("a$b") && !is_identifier("module")
        );
    }
}
