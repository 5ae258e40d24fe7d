//! Measures the accelerators of a table that are not measured yet: `cargo run --release --example area_data -- BOARD TABLE.csv`.
//!
//! The table is that of `tandem_synth::area::data`; it is written anew after each line, so the program can be stopped. A line takes
//! Yosys half a minute to several.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::atomic::AtomicBool;
use tandem_files::Cache;
use tandem_synth::{Board, Job, Tools, area, packed};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(board), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("usage: area_data BOARD TABLE.csv".into());
    };
    let (board, tools) = (Board::find(&board)?, Tools::find()?);
    let (cache, stop) = (Cache::open(None)?, AtomicBool::new(false));
    let table = std::fs::read_to_string(&file)?;
    let mut texts: Vec<String> = table.lines().map(str::to_owned).collect();
    let header: Vec<String> = texts[0].split(',').map(str::to_owned).collect();
    for (i, line) in
        area::data::lines(&table)?.into_iter().enumerate().filter(|(_, line)| line.cells.is_none())
    {
        let dir = tempfile::tempdir()?;
        let job =
            Job { config: &line.config, board: &board, core: false, seeds: 1, cache: &cache, stop: &stop };
        let cells: BTreeMap<String, u64> = packed(&job, &tools, dir.path())?;
        eprintln!("line {}: {cells:?}", i + 2);
        let mut fields: Vec<String> = texts[i + 1].split(',').map(str::to_owned).collect();
        let set = header.iter().position(|name| name == "set").ok_or("no column `set`")?;
        for (field, name) in fields.iter_mut().zip(&header).skip(set + 1) {
            *field = cells.get(name).copied().unwrap_or(0).to_string();
        }
        texts[i + 1] = fields.join(",");
        tandem_files::replace(file.as_ref(), (texts.join("\n") + "\n").as_bytes())?;
    }
    Ok(())
}
