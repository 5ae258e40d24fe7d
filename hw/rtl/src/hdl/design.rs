//! A design in Verilog as data: modules with ports and a body, until somebody needs text.
//!
//! ```text
//! hdl::verilog ─► Design ─┬─ text()   one file for tools: simulators, synthesis; its hash names what they build
//!                         └─ file()   one file a module for people, with banner and documentation
//! ```

use std::fmt;

/// A design, its top module first, every module before those that it instantiates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Design {
    /// The modules; there is at least one.
    pub modules: Vec<Module>,
}

/// A module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Name.
    pub name: String,
    /// What it does; may have several lines.
    pub doc: String,
    /// Ports, in order.
    pub ports: Vec<Port>,
    /// Declarations, processes and instances.
    pub body: String,
    /// Modules that it instantiates, each once.
    pub children: Vec<String>,
    /// The path of the first instance: `tandem.array.row[0]`.
    pub first: String,
    /// Number of instances in the design.
    pub instances: usize,
}

/// A port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name.
    pub name: String,
    /// What it means; may have several lines.
    pub doc: String,
    /// Which way it goes.
    pub direction: Direction,
    /// Width.
    pub bits: usize,
    /// Whether it is a two's complement number.
    pub signed: bool,
    /// Whether an `always` or `initial` block drives it.
    pub variable: bool,
}

/// Which way a port goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Into the module.
    Input,
    /// Out of the module.
    Output,
}

impl Design {
    /// The top module.
    ///
    /// # Panics
    /// If there is no module.
    pub fn top(&self) -> &Module {
        &self.modules[0]
    }

    /// The module of this name.
    pub fn module(&self, name: &str) -> Option<&Module> {
        self.modules.iter().find(|m| m.name == name)
    }

    /// Likewise, to be changed.
    pub fn module_mut(&mut self, name: &str) -> Option<&mut Module> {
        self.modules.iter_mut().find(|m| m.name == name)
    }

    /// The module of this name and all that it instantiates, directly or not.
    pub fn with_children(&self, name: &str) -> Option<Design> {
        let mut wanted = vec![&self.module(name)?.name];
        // a module stands before its children
        for m in &self.modules {
            if wanted.contains(&&m.name) {
                wanted.extend(&m.children);
            }
        }
        let mut modules: Vec<Module> =
            self.modules.iter().filter(|m| wanted.contains(&&m.name)).cloned().collect();
        let top = modules.iter().position(|m| m.name == name)?;
        modules[..=top].rotate_right(1);
        Some(Design { modules })
    }

    /// All modules in one text, without banner and documentation: neither changes what a tool builds from it.
    pub fn text(&self) -> String {
        let modules: Vec<String> =
            self.modules.iter().map(|m| format!("// {}\n{m}", m.instances())).collect();
        modules.join("\n")
    }
}

impl fmt::Display for Module {
    /// From `module` to `endmodule`, without documentation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module {} (", self.name)?;
        for (i, port) in self.ports.iter().enumerate() {
            write!(f, "{}\n  {port}", if i > 0 { "," } else { "" })?;
        }
        let end = if self.ports.is_empty() { "" } else { "\n" };
        write!(f, "{end});\n{}endmodule\n", self.body)
    }
}

impl Module {
    /// The module as a file of its own: banner, documentation, no implicit nets.
    pub fn file(&self, banner: &str) -> String {
        let mut text = comment("", banner) + "//\n" + &comment("", &self.instances());
        if !self.doc.is_empty() {
            text += "//\n";
            text += &comment("", &self.doc);
        }
        text += &format!("`default_nettype none\n\nmodule {} (", self.name);
        let mut said = "";
        for (i, port) in self.ports.iter().enumerate() {
            text += if i > 0 { ",\n" } else { "\n" };
            // the ports of a list share their documentation
            if port.doc != said {
                text += &comment("  ", &port.doc);
            }
            said = &port.doc;
            text += &format!("  {port}");
        }
        text += if self.ports.is_empty() { "" } else { "\n" };
        text + &format!(");\n{}endmodule\n\n`default_nettype wire\n", self.body)
    }

    /// How often it is instantiated, and where first.
    fn instances(&self) -> String {
        let Module { name, first, instances, .. } = self;
        let plural =
            if *instances == 1 { "1 instance".into() } else { format!("{instances} instances, the first") };
        format!("{name}: {plural} at {first}")
    }
}

impl fmt::Display for Port {
    /// Its declaration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::Input => "input",
            Direction::Output => "output",
        };
        write!(f, "{direction} {} ", if self.variable { "reg" } else { "wire" })?;
        if self.signed {
            f.write_str("signed ")?;
        }
        if self.bits > 1 {
            write!(f, "[{}:0] ", self.bits - 1)?;
        }
        f.write_str(&self.name)
    }
}

fn comment(indent: &str, text: &str) -> String {
    text.lines().map(|l| format!("{indent}// {l}").trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(name: &str, children: &[&str]) -> Module {
        let port = |name: &str, direction, bits, signed| Port {
            name: name.into(),
            doc: "A number.\nIn two lines.".into(),
            direction,
            bits,
            signed,
            variable: false,
        };
        Module {
            name: name.into(),
            doc: "Adds.".into(),
            ports: vec![
                port("x_0", Direction::Input, 1, false),
                port("x_1", Direction::Input, 1, false),
                Port { doc: String::new(), variable: true, ..port("y", Direction::Output, 8, true) },
            ],
            body: "  always @* y = x_0 + x_1;\n".into(),
            children: children.iter().map(|c| c.to_string()).collect(),
            first: format!("top.{name}"),
            instances: 2,
        }
    }

    #[test]
    fn children_come_along() {
        let modules =
            vec![module("a", &["b", "d"]), module("b", &["d"]), module("c", &["d"]), module("d", &[])];
        let design = Design { modules };
        let names = |top: &str| -> Vec<String> {
            design.with_children(top).unwrap().modules.into_iter().map(|m| m.name).collect()
        };
        assert_eq!(names("a"), ["a", "b", "d"]);
        assert_eq!(names("c"), ["c", "d"]);
        assert_eq!(design.with_children("e"), None);
    }

    #[test]
    fn text_is_for_tools_and_a_file_for_people() {
        let design = Design { modules: vec![module("a", &[])] };
        let ports = "  input wire x_0,\n  input wire x_1,\n  output reg signed [7:0] y\n";
        let body = "  always @* y = x_0 + x_1;\n";
        let head = "// a: 2 instances, the first at top.a\n";
        assert_eq!(design.text(), format!("{head}module a (\n{ports});\n{body}endmodule\n"));
        let file = design.top().file("Somebody's.\n\nAll of it.");
        assert_eq!(
            file,
            format!(
                "// Somebody's.\n//\n// All of it.\n//\n{head}//\n// Adds.\n`default_nettype none\n\n\
                 module a (\n  // A number.\n  // In two lines.\n{ports});\n{body}endmodule\n\n`default_nettype wire\n"
            )
        );
    }
}
