//! Single modules out of generated Verilog.

use std::collections::BTreeSet;

/// The text of `module`, from its header to `endmodule`.
pub fn module<'a>(verilog: &'a str, module: &str) -> Option<&'a str> {
    let from = verilog.find(&format!("\nmodule {module} (")).map(|i| i + 1);
    let from = from.or_else(|| verilog.starts_with(&format!("module {module} (")).then_some(0))?;
    let text = &verilog[from..];
    let to = text.find("\nendmodule")? + "\nendmodule\n".len();
    text.get(..to).or(Some(text))
}

/// Names of all modules, in order.
pub fn names(verilog: &str) -> Vec<&str> {
    verilog.lines().filter_map(|l| l.strip_prefix("module ")?.split_whitespace().next()).collect()
}

/// `top` and all modules that it instantiates, directly or not.
pub fn with_children(verilog: &str, top: &str) -> Option<String> {
    let known: BTreeSet<&str> = names(verilog).into_iter().collect();
    let (mut wanted, mut done) = (vec![*known.get(top)?], vec![]);
    while let Some(name) = wanted.pop() {
        if done.contains(&name) {
            continue;
        }
        done.push(name);
        let text = module(verilog, name)?;
        wanted.extend(text.lines().skip(1).filter_map(|l| known.get(l.split_whitespace().next()?)));
    }
    Some(done.iter().filter_map(|n| module(verilog, n)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_come_along() {
        let v = "module a (\n);\n  c x(.y(z));\nendmodule\nmodule b (\n);\nendmodule\nmodule c (\n);\nendmodule\n";
        assert_eq!(names(v), ["a", "b", "c"]);
        let both = with_children(v, "a").unwrap();
        assert_eq!(names(&both), ["a", "c"]);
        assert_eq!(with_children(v, "d"), None);
    }
}
