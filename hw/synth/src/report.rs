//! What the tools say: cells, Fmax, critical path.

use crate::board::Family;
use crate::error::SynthError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Used and available; what is available is unknown for an estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Used.
    pub used: u64,
    /// Available.
    pub available: Option<u64>,
}

impl Count {
    fn fits(self) -> bool {
        self.available.is_none_or(|a| self.used <= a)
    }

    fn text(self) -> String {
        match self.available {
            Some(0) | None => self.used.to_string(),
            Some(a) => format!("{} of {a} ({:.0} %)", self.used, 100.0 * self.used as f64 / a as f64),
        }
    }
}

/// Cells that a design takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Look-up tables with what else takes their place: TRELLIS_COMB, ICESTORM_LC, LUT1 … LUT6.
    pub lut: Count,
    /// Flip-flops.
    pub ff: Count,
    /// Multipliers.
    pub dsp: Count,
    /// Block RAMs.
    pub ram: Count,
}

impl Resources {
    /// From the names of cells to how many of them a netlist has.
    pub fn of_cells(cells: &BTreeMap<String, u64>) -> Self {
        let sum = |is: &dyn Fn(&str) -> bool| Count {
            used: cells.iter().filter(|(name, _)| is(name)).map(|(_, n)| n).sum(),
            available: None,
        };
        let lut = |n: &str| n == "LUT4" || n == "SB_LUT4" || (n.starts_with("LUT") && n.len() == 4);
        Resources {
            lut: sum(&lut),
            ff: sum(&|n| n == "TRELLIS_FF" || n.starts_with("SB_DFF") || n.starts_with("FD")),
            dsp: sum(&|n| n == "MULT18X18D" || n == "SB_MAC16" || n == "DSP48E1"),
            ram: sum(&|n| n == "DP16KD" || n == "SB_RAM40_4K" || n.starts_with("RAMB")),
        }
    }

    /// Whether nothing exceeds what is available.
    pub fn fits(&self) -> bool {
        [self.lut, self.ff, self.dsp, self.ram].iter().all(|c| c.fits())
    }

    /// One line a resource.
    pub fn table(&self) -> String {
        let rows = [("LUT", self.lut), ("FF", self.ff), ("DSP", self.dsp), ("RAM", self.ram)];
        rows.map(|(name, c)| format!("  {name:<4} {}", c.text())).join("\n")
    }

    fn placed(&mut self, family: Family, cell: impl Fn(&str) -> Option<Count>) {
        let (lut, ff, dsp, ram) = match family {
            Family::Ecp5 => ("TRELLIS_COMB", "TRELLIS_FF", "MULT18X18D", "DP16KD"),
            Family::Ice40 => ("ICESTORM_LC", "", "ICESTORM_DSP", "ICESTORM_RAM"),
            Family::Xc7 => return,
        };
        for (count, name) in
            [(&mut self.lut, lut), (&mut self.ff, ff), (&mut self.dsp, dsp), (&mut self.ram, ram)]
        {
            *count = cell(name).unwrap_or(*count);
        }
    }

    /// Takes over what nextpnr has counted when it packed, from its messages.
    pub fn packed(&mut self, family: Family, log: &[String]) {
        self.placed(family, |name| {
            let line = log
                .iter()
                .rev()
                .find_map(|l| l.strip_prefix("Info:")?.trim().strip_prefix(name)?.strip_prefix(':'))?;
            let (used, available) = line.split_once('/')?;
            let available = available.split_whitespace().next()?.parse().ok();
            Some(Count { used: used.trim().parse().ok()?, available })
        });
    }
}

/// The slowest way from register to register.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CriticalPath {
    /// The unit in which it starts, from the top module down.
    pub from: String,
    /// The unit in which it ends.
    pub to: String,
    /// Delay in ns.
    pub delay_ns: f64,
    /// The part of it that is routing, in ns.
    pub routing_ns: f64,
}

/// What is left of a period of `clock_mhz` after the slowest way, in ns: negative if the clock is missed.
pub fn slack_ns(fmax_mhz: f64, clock_mhz: f64) -> f64 {
    1e3 / clock_mhz - 1e3 / fmax_mhz
}

/// What nextpnr reports of a routed design.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routed {
    /// Highest frequency in MHz.
    pub fmax_mhz: f64,
    /// What sets it.
    pub critical: CriticalPath,
}

/// Reads nextpnr's report into `used` and its timing.
///
/// # Errors
/// [`SynthError::Report`] if it is not as expected.
pub fn routed(file: &Path, family: Family, used: &mut Resources) -> Result<Routed, SynthError> {
    let text = std::fs::read_to_string(file).map_err(|e| SynthError::io(file, e))?;
    let fail = |what: &str| SynthError::Report { file: file.display().to_string(), what: what.into() };
    let json: Value = serde_json::from_str(&text).map_err(|e| fail(&e.to_string()))?;
    used.placed(family, |name| {
        let cell = json.get("utilization")?.get(name)?;
        Some(Count { used: cell.get("used")?.as_u64()?, available: cell.get("available")?.as_u64() })
    });
    let clocks = json.get("fmax").and_then(Value::as_object).ok_or_else(|| fail("no fmax"))?;
    let achieved = clocks.values().filter_map(|c| c.get("achieved")?.as_f64());
    let fmax_mhz = achieved.reduce(f64::min).ok_or_else(|| fail("no clock"))?;
    let paths =
        json.get("critical_paths").and_then(Value::as_array).ok_or_else(|| fail("no critical path"))?;
    let clocked = |p: &&Value| {
        let edge = |end: &str| p.get(end).and_then(Value::as_str).unwrap_or_default().to_owned();
        edge("from") == edge("to") && edge("from") != "<async>"
    };
    let critical = paths.iter().find(clocked).map(path).unwrap_or_default();
    Ok(Routed { fmax_mhz, critical })
}

fn path(json: &Value) -> CriticalPath {
    let empty = vec![];
    let parts = json.get("path").and_then(Value::as_array).unwrap_or(&empty);
    let delay = |only: &str| -> f64 {
        let of =
            parts.iter().filter(|p| only.is_empty() || p.get("type").and_then(Value::as_str) == Some(only));
        of.filter_map(|p| p.get("delay")?.as_f64()).sum()
    };
    let cell = |part: Option<&Value>, end: &str| {
        part.and_then(|p| p.get(end)?.get("cell")?.as_str()).map(unit).unwrap_or_default()
    };
    CriticalPath {
        from: cell(parts.first(), "from"),
        to: cell(parts.last(), "to"),
        delay_ns: delay(""),
        routing_ns: delay("routing"),
    }
}

/// The unit of a cell `board.tandem.gemm.array.array_row_3.pe_1.dot_q_TRELLIS_FF_Q_4`: all but the last part.
fn unit(cell: &str) -> String {
    let parts: Vec<&str> = cell.split('.').filter(|p| !p.is_empty() && !p.starts_with('$')).collect();
    match parts.split_last() {
        Some((_, units)) if !units.is_empty() => units.join("."),
        _ => cell.to_owned(),
    }
}

/// Counts of cells in what Yosys' `stat -json` wrote.
///
/// # Errors
/// [`SynthError::Report`] if it is not as expected.
pub fn cells(file: &Path) -> Result<BTreeMap<String, u64>, SynthError> {
    let text = std::fs::read_to_string(file).map_err(|e| SynthError::io(file, e))?;
    let fail = |what: String| SynthError::Report { file: file.display().to_string(), what };
    // a message may come before or after the object
    let object = text.find('{').zip(text.rfind('}')).map(|(a, b)| &text[a..=b]).unwrap_or_default();
    let json: Value = serde_json::from_str(object).map_err(|e| fail(e.to_string()))?;
    let counts = json.get("design").and_then(|d| d.get("num_cells_by_type")).and_then(Value::as_object);
    let counts = counts.ok_or_else(|| fail("no counts of cells".into()))?;
    let number = |v: &Value| v.as_u64().or_else(|| v.get("count")?.as_u64());
    Ok(counts.iter().filter_map(|(name, n)| Some((name.clone(), number(n)?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_cells() {
        assert_eq!(unit("board.tandem.array.pe_1.dot_q_TRELLIS_FF_Q_4"), "board.tandem.array.pe_1");
        assert_eq!(unit("clock"), "clock");
    }

    #[test]
    fn what_nextpnr_packs_is_read_from_its_messages() {
        let log = ["Info: Device utilisation:", "Info: \t         ICESTORM_LC:  9100/ 5280   172%"];
        let mut used = Resources { ff: Count { used: 7, available: None }, ..Resources::default() };
        used.packed(Family::Ice40, &log.map(String::from));
        assert_eq!(used.lut, Count { used: 9100, available: Some(5280) });
        assert!(!used.fits());
        assert_eq!(used.table(), "  LUT  9100 of 5280 (172 %)\n  FF   7\n  DSP  0\n  RAM  0");
    }
}
