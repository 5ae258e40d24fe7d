//! What the sources say of units and their ports, for the comments of generated Verilog.
//!
//! The table is made by `build.rs`. It knows every struct of this crate that `unit!` or `bundle!` declares or that derives one of
//! rust_hdl's `Logic…` traits; units of other crates have no documentation.

/// A unit, or an interface: a bundle of ports.
struct Unit {
    /// Its type within the crate: `store::drain::Drain`.
    path: &'static str,
    doc: &'static str,
    /// Name, type (of an element if it is a list) and documentation.
    fields: &'static [(&'static str, &'static str, &'static str)],
}

static UNITS: &[Unit] = include!(concat!(env!("OUT_DIR"), "/docs.rs"));

/// The documentation of the type `name`, as [`std::any::type_name`] gives it; empty if there is none.
pub fn of_unit(name: &str) -> String {
    find(name).map_or_else(String::new, |u| plain(u.doc))
}

/// The documentation of the port of the type `name` with rust_hdl's name `key` (`x$3`, `write$address`); empty if there is none.
pub fn of_port(name: &str, key: &str) -> String {
    let parts = key.split('$').filter(|p| !p.bytes().all(|b| b.is_ascii_digit()));
    let (mut unit, mut doc) = (find(name), "");
    for part in parts {
        let field = unit.and_then(|u| u.fields.iter().find(|f| f.0 == part));
        doc = field.map(|f| f.2).filter(|d| !d.is_empty()).unwrap_or(doc);
        unit = field.and_then(|f| UNITS.iter().find(|u| u.path.rsplit("::").next() == Some(f.1)));
    }
    plain(doc)
}

fn find(name: &str) -> Option<&'static Unit> {
    let path = name.split('<').next()?.strip_prefix(concat!(env!("CARGO_CRATE_NAME"), "::"))?;
    UNITS.iter().find(|u| u.path == path)
}

/// Markdown's links and quotes mean nothing in a comment of Verilog: ``[`Ram`](super::Ram)`` is `Ram`.
fn plain(doc: &str) -> String {
    let mut out = String::new();
    let mut rest = doc.trim_end();
    while let Some((before, link)) = rest.split_once("[`") {
        out += before;
        let Some((name, after)) = link.split_once("`]") else { break };
        out += name;
        rest = match after.strip_prefix('(').and_then(|a| a.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
    }
    (out + rest).replace("```text\n", "").replace("```\n", "").replace("```", "").replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_cells_and_ports_are_documented() {
        let fifo = std::any::type_name::<crate::hdl::cells::Fifo>();
        assert!(of_unit(fifo).starts_with("First in, first out"), "{}", of_unit(fifo));
        assert_eq!(of_port(fifo, "d$3"), "The fields of the new entry.");
        assert_eq!(of_port(fifo, "count"), "Entries inside.");
        assert_eq!(of_port(fifo, "other"), "");
        assert_eq!(of_unit("another_crate::Fifo"), "");
    }

    #[test]
    fn paths_are_unique() {
        for (i, u) in UNITS.iter().enumerate() {
            assert!(UNITS[..i].iter().all(|v| v.path != u.path), "{}", u.path);
        }
    }

    #[test]
    fn markup_is_dropped() {
        assert_eq!(plain("as in [`Ram`](super::Ram), `q ← d`, [`Rom`].\n"), "as in Ram, q ← d, Rom.");
    }
}
