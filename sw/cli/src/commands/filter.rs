//! `tandem filter`.

use super::{Force, SetAccelerator};
use crate::Report;
use crate::arguments::up_to;
use crate::engines::EngineKind;
use crate::failure::{check, usage};
use crate::filtering::{Accelerator, GAUSSIAN_BITS, Job, Method, Sums, correlation};
use crate::images::{self, Picture};
use crate::stop::Stop;
use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Instant;
use tandem_files::{Folder, Output};
use tandem_filter::{Border, Correlation, FILTERS, Filter, Image, Kind, Parameter, Samples, psnr_db};

/// Arguments of `filter`.
#[derive(clap::Args)]
pub struct Args {
    /// Pictures (PNG, JPEG, BMP, PNM, TIFF) or folders of them, then where the results go: a file for one picture, a folder for several or for a
    /// folder.
    #[arg(value_names = ["IN", "OUT"], num_args = 2.., required = true)]
    paths: Vec<PathBuf>,
    /// The filter.
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    kind: String,
    #[command(flatten)]
    parameters: Parameters,
    /// What lies around an image: reflect (cba|abcd), reflect-101 (dcb|abcd), replicate (aaa|abcd), wrap (bcd|abcd), constant or constant:VALUE.
    #[arg(long, value_name = "MODE", default_value = "reflect-101", allow_hyphen_values = true)]
    border: Border,
    /// Compare with the filter's definition, computed exactly: PSNR, largest difference. It may take long.
    #[arg(long)]
    check: bool,
    /// Exit with 1 if the PSNR of a picture is less (with --check).
    #[arg(long, value_name = "DB", requires = "check")]
    min_psnr: Option<f64>,
    /// Threads; results do not depend on them.
    #[arg(long, value_name = "N", value_parser = up_to::<1024>)]
    threads: Option<usize>,
    /// Who filters: cpu, or an accelerator on model, sim or serial:PORT.
    #[arg(long, value_name = "ENGINE", default_value = "cpu", help_heading = "Accelerator")]
    engine: Who,
    #[command(flatten)]
    accelerator: AcceleratorArgs,
    #[command(flatten)]
    force: Force,
}

/// Which accelerator, and what it takes.
#[derive(clap::Args)]
#[command(next_help_heading = "Accelerator")]
struct AcceleratorArgs {
    /// Accelerator: a TOML file, or a name in configs/accelerators/ [default: default].
    #[arg(short, long, value_name = "ACCEL")]
    config: Option<String>,
    #[command(flatten)]
    set: SetAccelerator,
    /// Rounds weights that are no whole numbers to so many bits, 1 to 16 (MAC array) [default: 8 for gaussian].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    kernel_bits: Option<u8>,
}

/// Who filters.
#[derive(Clone)]
enum Who {
    Cpu,
    Accelerator(EngineKind),
}

impl FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "cpu" => Ok(Who::Cpu),
            // the f32 reference of a network is none of pictures
            "float" => Err("expected cpu, model, sim or serial:PORT[@BAUD]".to_owned()),
            _ => text
                .parse()
                .map(Who::Accelerator)
                .map_err(|e: String| e.replace("model, sim, float", "cpu, model, sim")),
        }
    }
}

fn kinds() -> PossibleValuesParser {
    FILTERS
        .iter()
        .map(|kind| clap::builder::PossibleValue::new(kind.name).help(kind.about))
        .collect::<Vec<_>>()
        .into()
}

/// Every filter's parameters as options.
#[derive(Default)]
struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Names, each with the filters that have it.
    fn all() -> BTreeMap<&'static str, Vec<(&'static str, &'static Parameter)>> {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        for kind in FILTERS {
            for parameter in kind.parameters {
                all.entry(parameter.name).or_default().push((kind.name, parameter));
            }
        }
        all
    }

    /// What a parameter means for each filter, those for which it means the same together.
    fn help(of: &[(&'static str, &'static Parameter)]) -> String {
        let mut meanings: Vec<(String, Vec<&str>)> = vec![];
        for (kind, parameter) in of {
            let default = parameter.default.map(|d| format!(" [default: {d}]")).unwrap_or_default();
            let meaning = format!("{}{default}", parameter.help);
            match meanings.iter_mut().find(|(known, _)| *known == meaning) {
                Some((_, kinds)) => kinds.push(kind),
                None => meanings.push((meaning, vec![kind])),
            }
        }
        let lines: Vec<_> =
            meanings.iter().map(|(meaning, kinds)| format!("{}: {meaning}", kinds.join(", "))).collect();
        lines.join("; ")
    }
}

impl clap::FromArgMatches for Parameters {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |name: &&str| Some((name.to_string(), matches.get_one::<String>(name)?.clone()));
        Ok(Parameters(Self::all().keys().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for Parameters {
    fn augment_args(mut command: Command) -> Command {
        for (name, of) in Self::all() {
            // a kernel or an offset may begin with a minus sign
            let option = Arg::new(name).long(name).value_name(of[0].1.value).allow_hyphen_values(true);
            command = command.arg(option.help(Self::help(&of)).help_heading("Options of filters"));
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Where results go.
enum Place {
    File(Output),
    Folder(Folder),
}

/// The pictures of all inputs, each with the name of its result in a folder.
fn inputs(paths: &[PathBuf]) -> Result<Vec<(PathBuf, String)>> {
    let mut all = vec![];
    for path in paths {
        if !path.is_dir() {
            all.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).map_err(|e| usage(format!("{}: {e}", path.display())))?;
        let is_hidden =
            |p: &Path| p.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let mut found: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|p| images::is_named(p) && !is_hidden(p) && p.is_file())
            .collect();
        if found.is_empty() {
            return Err(usage(format!("{}: a folder without pictures", path.display())));
        }
        found.sort();
        all.extend(found);
    }
    let mut names = BTreeSet::new();
    let named = |path: PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match names.insert(name.clone()) {
            true => Ok((path, name)),
            false => Err(usage(format!("{}: another input has that name, too", path.display()))),
        }
    };
    all.into_iter().map(named).collect()
}

/// How far a result is from the exact one.
struct Accuracy {
    /// Of results in f32, before they are rounded.
    psnr_db: f64,
    /// Of results as they are written.
    written_psnr_db: f64,
    largest: f64,
}

/// `single` is the result before it is rounded.
fn accuracy(
    filter: &dyn Filter,
    (image, single, result): (&Image, &Image, &Image),
    border: Border,
) -> Result<Accuracy> {
    let peak = image.range();
    let exact = filter.exact().apply(&image.to_f32(), border)?;
    let psnr = psnr_db(single, &exact, peak);
    let exact = exact.in_type_of(image);
    Ok(Accuracy {
        psnr_db: psnr,
        written_psnr_db: psnr_db(result, &exact, peak),
        largest: result.largest_difference(&exact),
    })
}

/// JSON has no infinity: two equal images have no noise.
fn finite(v: f64) -> Option<f64> {
    v.is_finite().then_some(v)
}

fn decibels(v: f64) -> String {
    finite(v).map_or("exact".to_owned(), |v| format!("{v:.1} dB"))
}

/// Who filters, ready to start.
enum Engine {
    Cpu,
    Accelerator { accelerator: Box<Accelerator>, correlation: Correlation, method: Method },
}

impl Engine {
    fn new(args: &Args, kind: &Kind) -> Result<Self> {
        let AcceleratorArgs { config, set, kernel_bits } = &args.accelerator;
        let Who::Accelerator(engine) = &args.engine else {
            let given = [
                ("--config", config.is_some()),
                ("--set", !set.set.is_empty()),
                ("--kernel-bits", kernel_bits.is_some()),
            ];
            return match given.iter().find(|(_, is_given)| *is_given) {
                Some((option, _)) => {
                    Err(usage(format!("{option}: needs --engine model, sim or serial:PORT")))
                }
                None => Ok(Engine::Cpu),
            };
        };
        let correlation = correlation(kind, &args.parameters.0)?;
        let method = Method::named(args.parameters.0.get("method").map(String::as_str))?;
        let config = set.read(config.as_deref().unwrap_or("default"))?;
        let accelerator = Box::new(Accelerator::new(engine, config)?);
        Ok(Engine::Accelerator { accelerator, correlation, method })
    }
}

/// A picture filtered.
struct Filtered {
    result: Image,
    took: f64,
    /// What an accelerator found.
    sums: Option<Sums>,
}

/// What pictures are filtered with.
struct Work<'a> {
    args: &'a Args,
    filter: Box<dyn Filter>,
    engine: Engine,
    threads: rayon::ThreadPool,
}

impl Work<'_> {
    fn filtered(&mut self, image: &Image) -> Result<Filtered> {
        let Work { args, filter, engine, threads } = self;
        let start = Instant::now();
        let (result, sums) = threads.install(|| -> Result<_> {
            let Engine::Accelerator { accelerator, correlation, method } = engine else {
                return Ok((filter.apply(image, args.border)?, None));
            };
            let bits = args.accelerator.kernel_bits.or((args.kind == "gaussian").then_some(GAUSSIAN_BITS));
            let job = Job { correlation, image, border: args.border, kernel_bits: bits };
            let sums = accelerator.sums(*method, &job)?;
            Ok((correlation.finish(image, &sums.sums), Some(sums)))
        })?;
        Ok(Filtered { result, took: start.elapsed().as_secs_f64(), sums })
    }

    fn accuracy(&self, image: &Image, filtered: &Filtered) -> Result<Accuracy> {
        let Work { args, filter, engine, threads } = self;
        // a device is not one of several threads
        let correlation = match engine {
            Engine::Accelerator { correlation, .. } => Some(correlation),
            Engine::Cpu => None,
        };
        threads.install(|| {
            let single = image.to_f32();
            let single = match correlation.zip(filtered.sums.as_ref()) {
                Some((correlation, sums)) => correlation.finish(&single, &sums.sums),
                None => filter.apply(&single, args.border)?,
            };
            accuracy(&**filter, (image, &single, &filtered.result), args.border)
        })
    }
}

/// Filters pictures.
pub fn run(args: &Args) -> Result<Report> {
    Stop::install_at_once()?;
    let kind = tandem_filter::kind(&args.kind)?;
    let filter = kind.build(&args.parameters.0)?;
    let (out, paths) = args.paths.split_last().expect("two paths at least");
    let is_folder = paths.len() > 1 || paths[0].is_dir();
    let pictures = inputs(paths)?;
    let place = if is_folder {
        Place::Folder(Folder::create(out, args.force.existing())?)
    } else {
        images::check_name(out)?;
        Place::File(Output::open(out, args.force.existing())?)
    };
    let engine = Engine::new(args, kind)?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0)).build()?;
    let mut work = Work { args, filter, engine, threads };
    let (mut lines, mut reports, mut wall) = (vec![], vec![], 0.0);
    let mut least = f64::INFINITY;
    for (path, name) in pictures {
        let Picture { image, profile, format } = images::read(&path)?;
        let to = if is_folder { out.join(&name) } else { out.clone() };
        let about = || path.display().to_string();
        let filtered = work.filtered(&image).with_context(about)?;
        wall += filtered.took;
        let shape = image.shape();
        let samples = match image.samples() {
            Samples::U8(_) => "u8",
            Samples::U16(_) => "u16",
            Samples::F32(_) => "f32",
        };
        let mut line = format!(
            "{}: {}×{}, {} channels of {samples}, {:.2} ms",
            to.display(),
            shape.width,
            shape.height,
            shape.channels,
            1e3 * filtered.took
        );
        let mut report = json!({
            "input": path.display().to_string(), "output": to.display().to_string(), "width": shape.width, "height": shape.height,
            "channels": shape.channels, "samples": samples, "wall_s": filtered.took,
        });
        if let (Engine::Accelerator { accelerator, .. }, Some(sums)) = (&work.engine, &filtered.sums) {
            let pixels = shape.height * shape.width;
            line += &format!(", {}", accelerator.text(sums, pixels));
            let own = accelerator.json(sums, pixels);
            report.as_object_mut().expect("an object").extend(own.as_object().expect("an object").clone());
        }
        if args.check {
            let found = work.accuracy(&image, &filtered).with_context(about)?;
            least = least.min(found.psnr_db);
            line += &format!(
                ", PSNR {} ({} as written, largest difference {})",
                decibels(found.psnr_db),
                decibels(found.written_psnr_db),
                found.largest
            );
            report["psnr_db"] = json!(finite(found.psnr_db));
            report["written_psnr_db"] = json!(finite(found.written_psnr_db));
            report["largest_difference"] = json!(found.largest);
        }
        let bytes = images::encode(&to, Picture { image: filtered.result, profile, format })?;
        match &place {
            Place::File(output) => output.write(&bytes)?,
            Place::Folder(folder) => folder.write(&name, &bytes)?,
        }
        lines.push(line);
        reports.push(report);
    }
    if let Place::Folder(folder) = place {
        folder.commit()?;
    }
    let mut json = json!({
        "kind": args.kind, "parameters": parameters(args), "border": args.border.to_string(),
        "threads": work.threads.current_num_threads(), "wall_s": wall, "images": reports, "engine": "cpu",
    });
    if let Engine::Accelerator { accelerator, .. } = &work.engine {
        json["engine"] = json!(accelerator.engine());
        json["accelerator"] = json!(accelerator.name());
        json["link"] = json!(accelerator.carried());
    }
    if let Some(wanted) = args.min_psnr.filter(|wanted| least < *wanted) {
        lines.push(format!("PSNR {least:.1} dB: expected at least {wanted} dB"));
        return Err(check(lines.join("\n")));
    }
    Ok(Report::new(lines.join("\n"), json))
}

/// The filter's parameters, defaults too.
fn parameters(args: &Args) -> Value {
    let kind = FILTERS.iter().find(|kind| kind.name == args.kind).into_iter();
    let value = |p: &Parameter| {
        let value = args.parameters.0.get(p.name).map(String::as_str).or(p.default)?;
        Some((p.name.to_owned(), Value::from(value)))
    };
    Value::Object(kind.flat_map(|kind| kind.parameters.iter().filter_map(value)).collect())
}
