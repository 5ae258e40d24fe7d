//! The Verilog that cells carry: finding and replacing the names of their ports in it.
use crate::hdl::cells::{ON_RESET, register};
use std::collections::HashMap;

/// How a cell's text uses a port.
#[derive(Clone, Copy, Default)]
pub(super) struct Uses {
    /// How often.
    pub count: usize,
    /// Whether bits of it are selected, which takes a name.
    pub selected: bool,
    /// Whether it is the whole right side of an assignment.
    pub assigned: bool,
}

/// The uses of port `key` in `text`.
pub(super) fn uses(text: &str, key: &str) -> Uses {
    let mut u = Uses::default();
    words(text, |word, at| {
        if word == key {
            let after = text[at + word.len()..].chars().next();
            u.count += 1;
            u.selected |= after == Some('[');
            u.assigned |= after == Some(';') && text[..at].ends_with("= ");
        }
    });
    u
}

/// Whether `text` drives port `key` with `assign` (and not from an `always` block).
pub(super) fn assigns(text: &str, key: &str) -> bool {
    let mut found = false;
    words(text, |word, at| found |= word == key && text[..at].ends_with("assign "));
    found
}

/// Whether `text` has a part for designs with a reset.
pub(super) fn resets(text: &str) -> bool {
    text.contains(ON_RESET[0])
}

/// The initial value of a register that takes a value at every clock edge, if `text` is one.
pub(super) fn plain_register(text: &str) -> Option<&str> {
    let (initial, _) = text.strip_prefix("initial q = ")?.split_once(';')?;
    let forms = [true, false].map(|reset| with_reset(&register("q", initial, "q <= d;"), reset));
    forms.iter().any(|f| f == text).then_some(initial)
}

/// `text` with these parts, or without them.
pub(super) fn with_reset(text: &str, reset: bool) -> String {
    if reset {
        return text.replace(ON_RESET, "");
    }
    let mut parts = text.split(ON_RESET[0]);
    let first = parts.next().unwrap_or_default().to_string();
    first + &parts.map(|p| p.split_once(ON_RESET[1]).map_or("", |(_, rest)| rest)).collect::<String>()
}

/// `text` without lines that only assign one of these ports, unless another line reads it.
pub(super) fn without_assigns(text: &str, ports: &[&str]) -> String {
    let dead = |line: &&str| {
        let target = line.trim_start().strip_prefix("assign ").and_then(|l| l.split([' ', '[']).next());
        target.is_some_and(|t| ports.contains(&t) && uses(text, t).count == 1 && line.ends_with(';'))
    };
    text.lines().filter(|l| !dead(l)).collect::<Vec<_>>().join("\n")
}

/// Replaces port names. An expression gets parentheses unless the text around it delimits it.
pub(super) fn substitute(text: &str, names: &HashMap<&str, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    words(text, |word, at| {
        let Some(new) = names.get(word) else { return };
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        let delimited =
            before.trim_end().ends_with(['=', '(', '{', ',']) && after.starts_with([';', ')', '}', ',']);
        let simple = delimited || new.chars().all(|c| c.is_alphanumeric() || "_'".contains(c));
        out.push_str(&text[done..at]);
        out.push_str(&if simple { new.clone() } else { format!("({new})") });
        done = at + word.len();
    });
    out + &text[done..]
}

/// Calls `f` on every identifier and its place. A `$` inside one separates the parts of a field path;
/// `$signed` and the digits of `4'hf` are none.
fn words<'a>(text: &'a str, mut f: impl FnMut(&'a str, usize)) {
    let bytes = text.as_bytes();
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'$';
    let mut i = 0;
    while i < bytes.len() {
        if !is_word(bytes[i]) {
            i += 1;
            continue;
        }
        let start = i;
        while i < bytes.len() && is_word(bytes[i]) {
            i += 1;
        }
        let literal = start > 0 && bytes[start - 1] == b'\'';
        if !literal && !bytes[start].is_ascii_digit() && bytes[start] != b'$' {
            f(&text[start..i], start);
        }
    }
}

/// Which bits of signals, given with their widths, these statements read.
pub(super) fn reads<'a>(code: &str, widths: &HashMap<&'a str, usize>) -> HashMap<&'a str, Vec<bool>> {
    let mut read: HashMap<&str, Vec<bool>> =
        widths.iter().map(|(name, w)| (*name, vec![false; *w])).collect();
    // what stands between the words tells where a statement begins
    let (mut done, mut starts, mut depth, mut header) = (0, true, 0, false);
    words(code, |word, at| {
        for c in code[done..at].chars() {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => {
                    depth -= 1;
                    starts |= depth == 0 && std::mem::take(&mut header);
                }
                ';' | ':' | '*' => starts |= depth == 0,
                _ => {}
            }
        }
        done = at + word.len();
        match word {
            "if" | "case" | "always" | "for" => header = true,
            "begin" | "end" | "endcase" | "else" | "initial" | "default" | "assign" => starts = true,
            _ => {
                let after = &code[done..];
                let target = depth == 0 && std::mem::take(&mut starts) && assigned(after);
                if let Some(bits) = read.get_mut(word).filter(|_| !target) {
                    let (low, high) = selection(after).unwrap_or((0, bits.len() - 1));
                    bits[low..=high].fill(true);
                }
            }
        }
    });
    read
}

/// Whether what follows a name makes it the left side of an assignment.
fn assigned(after: &str) -> bool {
    let after = match after.strip_prefix('[') {
        Some(select) => select.split_once(']').map_or("", |(_, rest)| rest),
        None => after,
    };
    let after = after.trim_start();
    after.starts_with("<=") || (after.starts_with('=') && !after.starts_with("=="))
}

/// `[7:4]` or `[3]` behind a name: lowest and highest bit.
fn selection(after: &str) -> Option<(usize, usize)> {
    let (inside, _) = after.strip_prefix('[')?.split_once(']')?;
    let (high, low) = inside.split_once(':').unwrap_or((inside, inside));
    Some((low.parse().ok()?, high.parse().ok()?))
}

/// The parts of a signal that are not among the bits `read`.
pub(super) fn gaps(name: &str, read: &[bool]) -> Vec<String> {
    if !read.contains(&true) {
        return vec![name.into()];
    }
    let mut parts = vec![];
    let mut low = 0;
    for part in read.chunk_by(|a, b| a == b) {
        let high = low + part.len() - 1;
        if !part[0] {
            parts.push(if low == high { format!("{name}[{low}]") } else { format!("{name}[{high}:{low}]") });
        }
        low = high + 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_replaced_and_nothing_else() {
        let names = HashMap::from([
            ("d", "a + b".to_string()),
            ("q", "x_q".into()),
            ("hd", "bad".into()),
            ("signed", "bad".into()),
        ]);
        assert_eq!(substitute("always if (d) q <= d;", &names), "always if (a + b) x_q <= a + b;");
        assert_eq!(
            substitute("q <= ~d + 4'hd + $signed(d) + dq;", &names),
            "x_q <= ~(a + b) + 4'hd + $signed(a + b) + dq;"
        );
    }

    #[test]
    fn bits_that_are_read() {
        let code = "  assign a = b[3:1] + (c <= d);\n  always @* begin\n    e = a;\n    if (f) e[0] = g[x];\n  end\n\
                    always @(posedge clock) if (h) q <= q;\n  assign _ = {m, n[2]};\n";
        let widths = ["a", "b", "c", "d", "e", "f", "g", "h", "q", "m", "n", "o"].map(|n| (n, 4));
        let read = reads(code, &HashMap::from(widths));
        let parts: Vec<String> = widths.iter().flat_map(|(n, _)| gaps(n, &read[n])).collect();
        assert_eq!(parts, ["b[0]", "e", "n[1:0]", "n[3]", "o"]);
    }

    #[test]
    fn assignments_of_dead_outputs_go() {
        let text = "assign y = x[0];\nassign z = x[1];\nassign w = z;";
        assert_eq!(without_assigns(text, &["y", "z"]), "assign z = x[1];\nassign w = z;");
    }

    #[test]
    fn parts_for_a_reset_stay_or_go() {
        let text = "always @* ⟦if (reset) q <= 0; else ⟧q <= d;⟦ // r⟧\n";
        assert!(resets(text) && !resets("q <= d;"));
        assert_eq!(with_reset(text, true), "always @* if (reset) q <= 0; else q <= d; // r\n");
        assert_eq!(with_reset(text, false), "always @* q <= d;\n");
    }

    #[test]
    fn uses_of_a_port() {
        let u = uses("assign y = {is_signed & x[3], x};", "x");
        assert!(u.count == 2 && u.selected && !u.assigned);
        assert!(uses("if (en) q <= d;", "d").assigned && !uses("if (en) q <= d;", "en").assigned);
        assert!(assigns("assign y$0 = x;", "y$0") && !assigns("y <= x;", "y"));
    }
}
