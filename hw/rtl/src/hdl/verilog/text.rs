//! The Verilog that cells carry: finding and replacing the names of their ports in it.
use crate::hdl::cells::ON_RESET;
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

/// `text` with these parts, or without them.
pub(super) fn with_reset(text: &str, reset: bool) -> String {
    if reset {
        return text.replace(ON_RESET, "");
    }
    let mut parts = text.split(ON_RESET[0]);
    let first = parts.next().unwrap_or_default().to_string();
    first + &parts.map(|p| p.split_once(ON_RESET[1]).map_or("", |(_, rest)| rest)).collect::<String>()
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
