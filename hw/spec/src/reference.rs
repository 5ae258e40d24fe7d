//! The reference, rendered from the tables: keys, instructions and registers as Markdown, and a C header.

use crate::config::{Config, MAX_LOOPS, TABLES};
use crate::isa::{Field, MEMORIES, OPCODES, opcode};
use crate::packet::{Reason, header};
use crate::registers::{IDENTITY, REGISTERS};
use std::fmt::Write as _;

fn rows(fields: &[Field], s: &mut String) {
    s.push_str("\n| field | bits | meaning |\n|---|---|---|\n");
    for f in fields {
        let _ = writeln!(s, "| `{}` | {}:{} | {} |", f.name, f.offset + f.width - 1, f.offset, f.doc);
    }
}

/// The reference page as Markdown.
pub fn markdown() -> String {
    let mut s = String::from("# Instructions and registers\n\nRendered from the tables in `hw/spec`.\n");
    for o in OPCODES {
        let _ = write!(
            s,
            "\n## {} ({:#04x})\n\n{} {} unit(s) of 128 bits; executed by the {:?} engine.\n",
            o.name, o.code, o.doc, o.units, o.engine
        );
        let fields: Vec<Field> =
            [opcode()].into_iter().chain(o.tokens.iter().chain(o.fields).copied()).collect();
        rows(&fields, &mut s);
        if o.loops.is_some() {
            s.push_str("\nLoop levels, 0 outermost:\n\n| level | count | row stride | column stride |\n|---|---|---|---|\n");
            for (l, fields) in (0..MAX_LOOPS).filter_map(|l| o.level(l)).enumerate() {
                let b = fields.map(|f| format!("{}:{}", f.offset + f.width - 1, f.offset));
                let _ = writeln!(s, "| {l} | {} | {} | {} |", b[0], b[1], b[2]);
            }
        }
        let _ = writeln!(s, "\nCRC-16 in bits {}:{}.", o.units * 128 - 1, o.units * 128 - 16);
    }
    s.push_str(
        "\n## Memories that a LOAD fills\n\n| code | memory | one for each | holds |\n|---|---|---|---|\n",
    );
    for m in MEMORIES {
        let _ = writeln!(
            s,
            "| {} | {} | {} |{} |",
            m.memory.code(),
            m.name,
            m.element.unwrap_or("accelerator"),
            m.help
        );
    }
    s.push_str("\n## Packet header\n");
    rows(header::FIELDS, &mut s);
    s.push_str("\n## Reasons of an error\n\n| code | meaning |\n|---|---|\n");
    for (r, doc) in Reason::ALL {
        let _ = writeln!(s, "| {} | {doc} |", *r as u32);
    }
    s.push_str("\n## Registers\n\n| word | name | meaning |\n|---|---|---|\n");
    for (i, r) in REGISTERS.iter().enumerate() {
        let _ = writeln!(s, "| {i} | `{}` | {} |", r.name, r.doc);
    }
    s
}

/// The keys of an accelerator as a Markdown table.
pub fn keys() -> String {
    let mut s = String::from(
        "| table | key | value (default) | |\n|---|---|---|---|\n| | `name` | a file name: no `/` (the file's) | For reports. |\n",
    );
    let least = Config::draw("least", |_| true, |_, _, values| values[0]);
    for table in TABLES {
        let _ = writeln!(s, "| `[{}]` | | |{} |", table.name, table.help);
        for key in table.keys {
            let bounds = match key.bounds {
                "" => (key.allowed)(&least).to_string(),
                text => text.to_owned(),
            };
            let default = match (key.usual, key.default) {
                ("", None) => String::new(),
                ("", Some(default)) => {
                    format!(" ({})", (key.allowed)(&least).written(default(&least)))
                }
                (text, _) => format!(" ({text})"),
            };
            let _ = writeln!(s, "| | `{}` | {bounds}{default} |{} |", key.name, key.help);
        }
    }
    s
}

/// The same as a C header, with the configuration's numbers.
pub fn c_header(config: &Config) -> String {
    let mut s =
        String::from("/* tandem: instructions and registers, rendered from the tables in hw/spec */\n");
    s.push_str("#ifndef TANDEM_H\n#define TANDEM_H\n\n");
    let _ = writeln!(s, "#define TANDEM_IDENTITY 0x{IDENTITY:08x}u");
    let _ = writeln!(s, "#define TANDEM_CONFIG_HASH 0x{:016x}ull", config.hash());
    for m in MEMORIES {
        let name = format!("TANDEM_MEMORY_{:?}", m.memory).to_uppercase();
        let _ = writeln!(s, "#define {name} {}", m.memory.code());
        if let Some(shape) = m.memory.shape(config) {
            for (what, value) in [
                ("ELEMENTS", shape.elements),
                ("DEPTH", shape.depth),
                ("BANKS", shape.banks),
                ("LANES", shape.lanes),
                ("DIGIT_BITS", shape.digit),
            ] {
                let _ = writeln!(s, "#define {name}_{what} {value}");
            }
        }
    }
    for table in TABLES.iter().filter(|t| t.optional.is_none_or(|there| there(config))) {
        for key in table.keys {
            let name = format!("TANDEM_{}_{}", table.name, key.name).to_uppercase();
            let _ = writeln!(s, "#define {name} {}", (key.value)(config));
        }
    }
    let mut field = |prefix: &str, f: &Field| {
        let name = f.name.to_uppercase();
        let _ = writeln!(s, "#define {prefix}_{name}_LSB {}", f.offset);
        let _ = writeln!(s, "#define {prefix}_{name}_BITS {}", f.width);
    };
    for o in OPCODES {
        let p = format!("TANDEM_{}", o.name);
        for f in o.tokens.iter().chain(o.fields) {
            field(&p, f);
        }
        for (l, fields) in (0..MAX_LOOPS).filter_map(|l| o.level(l)).enumerate() {
            for f in fields {
                field(&format!("{p}_LOOP{l}"), &f);
            }
        }
    }
    for f in header::FIELDS {
        field("TANDEM_HEADER", f);
    }
    for o in OPCODES {
        let _ = writeln!(s, "#define TANDEM_OP_{} 0x{:02x}", o.name, o.code);
        let _ = writeln!(s, "#define TANDEM_UNITS_{} {}", o.name, o.units);
    }
    for (r, _) in Reason::ALL {
        let _ = writeln!(s, "#define TANDEM_REASON_{} {}", format!("{r:?}").to_uppercase(), *r as u32);
    }
    for (i, r) in REGISTERS.iter().enumerate() {
        let _ = writeln!(s, "#define TANDEM_REG_{} {i}", r.name.to_uppercase());
    }
    s.push_str("\n#endif\n");
    s
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_keys_in_docs_are_the_rendered_ones() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let page = std::fs::read_to_string(path).unwrap();
        let part = page.split("## Accelerators (`configs/accelerators`)\n").nth(1).unwrap();
        let part = part.split("\n## ").next().unwrap();
        assert_eq!(
            part,
            super::keys(),
            "render it again: cargo run -p tandem-spec --example reference -- keys"
        );
    }

    #[test]
    fn the_page_in_docs_is_the_rendered_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference.md");
        let committed = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            committed,
            super::markdown(),
            "render it again: cargo run -p tandem-spec --example reference > docs/reference.md"
        );
    }
}
