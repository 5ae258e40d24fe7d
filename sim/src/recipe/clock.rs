//! Finds out whether one eval a cycle is possible.
//!
//! A verilated model compares the clock with its value at the last eval, which it keeps in a field.
//! Nothing happens on a falling edge of an accelerator, so instead of an eval with a low clock the
//! shim sets this field to zero. Its name depends on Verilator's version (`__Vtrigrprev__TOP__clock`
//! in 5.006, `__Vtrigprevexpr___TOP__clock__0` later); if there is a field that this page does not
//! understand, for instance of an internal clock, the shim uses two evals.

/// The fields to set to zero, from the text of the model's root header; `None`: use two evals.
pub fn previous_values(root_header: &str) -> Option<Vec<String>> {
    let fields: Vec<&str> = root_header
        .lines()
        .filter_map(|line| line.trim().strip_suffix(';')?.rsplit([' ', '/']).next())
        .filter(|name| name.starts_with("__Vtrig") && name.contains("prev"))
        .collect();
    let all_of_the_clock = !fields.is_empty() && fields.iter().all(|f| is_clock(f));
    all_of_the_clock.then(|| fields.iter().map(ToString::to_string).collect())
}

/// `__Vtrig…prev…_TOP__clock`, optionally with `__` and a number behind it.
fn is_clock(field: &str) -> bool {
    field
        .split_once("_TOP__clock")
        .is_some_and(|(_, rest)| rest.strip_prefix("__").unwrap_or(rest).bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names() {
        let v5006 =
            "    VL_IN8(clock,0,0);\n    CData/*0:0*/ __Vtrigrprev__TOP__clock;\n    IData/*31:0*/ a;\n";
        assert_eq!(previous_values(v5006).unwrap(), ["__Vtrigrprev__TOP__clock"]);
        let later = "    CData/*0:0*/ __Vtrigprevexpr___TOP__clock__0;\n    CData/*0:0*/ __Vtrigprevexpr___TOP__clock__1;\n";
        assert_eq!(previous_values(later).unwrap().len(), 2);
    }

    #[test]
    fn anything_else_takes_two_evals() {
        assert_eq!(previous_values("    CData/*0:0*/ clock;\n"), None);
        let inner = "    CData/*0:0*/ __Vtrigrprev__TOP__clock;\n    CData/*0:0*/ __Vtrigrprev__TOP__tandem__DOT__gated;\n";
        assert_eq!(previous_values(inner), None);
        assert_eq!(previous_values("    CData/*0:0*/ __Vtrigrprev__TOP__clock_enable;\n"), None);
    }
}
