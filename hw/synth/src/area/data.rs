//! Measured accelerators: a table with a column a key (`array.rows`; empty: its default), then `set`, then cells of the netlist by name.

use std::collections::BTreeMap;
use tandem_spec::Config;
use tandem_spec::config::ConfigError;
use toml::{Table, Value};

/// The column that says what a line is for: `fit` or `holdout`.
const SET: &str = "set";

/// Columns of tables of single units: the unit, and products of an element in DSPs.
const UNIT: &str = "unit";
const HARD: &str = "hard";

/// A measured accelerator.
#[derive(Clone, Debug)]
pub struct Line {
    /// It.
    pub config: Config,
    /// It is no part of the fit.
    pub holdout: bool,
    /// The unit that was measured by itself: its Verilog module.
    pub unit: Option<String>,
    /// Products of an element that are in DSPs, where the table says so.
    pub hard: Option<usize>,
    /// Cells by name; none if it is not measured yet.
    pub cells: Option<BTreeMap<String, u64>>,
}

impl Line {
    /// Cells of this name.
    pub fn cell(&self, name: &str) -> u64 {
        self.cells.as_ref().and_then(|cells| cells.get(name)).copied().unwrap_or(0)
    }

    /// LUTs of the netlist: those by themselves, in carry chains and in distributed RAMs.
    pub fn netlist(&self) -> u64 {
        self.cell("LUT4") + 2 * self.cell("CCU2C") + 6 * self.cell("TRELLIS_DPR16X4")
    }
}

/// The lines of a table.
///
/// # Errors   an accelerator that is not allowed
pub fn lines(table: &str) -> Result<Vec<Line>, ConfigError> {
    let mut all = table.lines();
    let header: Vec<&str> = all.next().unwrap_or_default().split(',').collect();
    let cells_from = header.iter().position(|name| *name == SET).map_or(header.len(), |at| at + 1);
    let line = |(number, text): (usize, &str)| {
        let fields: Vec<(&str, &str)> = header.iter().copied().zip(text.split(',')).collect();
        let mut document = Table::new();
        for (table, key, value) in fields
            .iter()
            .filter(|f| !f.1.is_empty())
            .filter_map(|(name, value)| name.split_once('.').map(|(t, k)| (t, k, value)))
        {
            let value = match (value.parse::<i64>(), value.parse::<bool>()) {
                (Ok(number), _) => Value::from(number),
                (_, Ok(on)) => Value::from(on),
                _ => Value::from(*value),
            };
            let table = document.entry(table).or_insert_with(|| Value::Table(Table::new()));
            table.as_table_mut().expect("made above").insert(key.to_owned(), value);
        }
        let config = Config::from_toml(&format!("line {}", number + 2), &document.to_string())?;
        let cells =
            fields.iter().skip(cells_from).map(|(name, n)| Some(((*name).to_owned(), n.parse().ok()?)));
        let holdout = fields.contains(&(SET, "holdout"));
        let field = |name: &str| fields.iter().find(|f| f.0 == name && !f.1.is_empty()).map(|f| f.1);
        let hard = field(HARD).and_then(|n| n.parse().ok());
        let unit = field(UNIT).map(str::to_owned);
        Ok(Line { config, holdout, unit, hard, cells: cells.collect() })
    };
    all.enumerate().map(line).collect()
}
