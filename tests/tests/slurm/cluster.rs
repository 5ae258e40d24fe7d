//! Slurm with one node on the loopback: munged, slurmctld and slurmd in a folder of their own, for as long as it is needed.

use std::ffi::OsString;
use std::io::{Error, Read};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Tasks of an array at most: a sweep of a few points takes several.
pub const ARRAY: usize = 5;

/// A cluster. Dropping it ends its jobs, then its daemons.
pub struct Cluster {
    folder: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Cluster {
    /// Starts one, and waits until its node takes jobs. Ports that are free may be taken by another before they are used.
    pub fn start() -> Self {
        let mut all = (0..3).map(|_| Cluster::try_start());
        all.find_map(Result::ok).unwrap_or_else(|| match Cluster::try_start() {
            Ok(cluster) => cluster,
            Err(why) => panic!("Slurm does not start (tools/install.sh test installs it): {why}"),
        })
    }

    fn try_start() -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("slurm").tempdir().unwrap();
        // munged wants a socket that everybody can reach
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut cluster = Cluster { folder, daemons: vec![] };
        let path = |name: &str| cluster.folder.path().join(name);
        let mut key = [0; 256];
        std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut key).unwrap();
        std::fs::write(path("key"), key).unwrap();
        std::fs::set_permissions(path("key"), std::fs::Permissions::from_mode(0o600)).unwrap();
        for name in ["state", "spool"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        let host = said("uname", "-n");
        let host = host.split('.').next().unwrap().to_owned();
        std::fs::write(cluster.conf(), configuration(cluster.folder.path(), &host)).unwrap();
        let option = |name: &str, file: &str| {
            let mut option = OsString::from(format!("--{name}="));
            option.push(path(file));
            option
        };
        let munged = [
            "--foreground".into(),
            "--num-threads=10".into(),
            option("key-file", "key"),
            option("socket", "munge.socket"),
            option("pid-file", "munged.pid"),
            option("log-file", "munged.log"),
            option("seed-file", "munged.seed"),
        ];
        let socket = path("munge.socket");
        let conf = cluster.conf().into_os_string();
        cluster.daemon("munged", &munged)?;
        cluster.wait("munged's socket", |_| socket.exists())?;
        cluster.daemon("slurmctld", &["-D".into(), "-c".into(), "-f".into(), conf.clone()])?;
        cluster.daemon("slurmd", &["-D".into(), "-N".into(), host.into(), "-f".into(), conf])?;
        cluster.wait("idle node", |cluster| {
            let nodes = cluster.command("sinfo").args(["--noheader", "--format=%T"]).output();
            nodes.is_ok_and(|nodes| nodes.stdout.starts_with(b"idle"))
        })?;
        Ok(cluster)
    }

    fn conf(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    /// A command that asks this cluster.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env("SLURM_CONF", self.conf()).stdin(Stdio::null());
        command
    }

    /// Runs a command that asks this cluster.
    pub fn output(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Output {
        self.command(program).args(arguments).output().expect("it starts")
    }

    /// Tasks that have not ended.
    pub fn tasks(&self) -> usize {
        let queue = self.output("squeue", &["--array", "--noheader"]);
        assert!(queue.status.success(), "{}", String::from_utf8_lossy(&queue.stderr));
        queue.stdout.iter().filter(|byte| **byte == b'\n').count()
    }

    /// Starts a daemon that ends with this test, however it ends.
    fn daemon(&mut self, program: &str, arguments: &[OsString]) -> Result<(), String> {
        let log = std::fs::File::create(self.folder.path().join(format!("{program}.out"))).unwrap();
        let mut command = self.command("setpriv");
        command.args(["--pdeathsig", "TERM", "--", program]).args(arguments);
        // daemons are for root's path
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/local/sbin:/usr/sbin:/sbin";
        command.env("PATH", path).stdout(log.try_clone().unwrap()).stderr(log);
        let daemon = command.spawn().map_err(|e: Error| format!("setpriv: {e}"))?;
        self.daemons.push(daemon);
        Ok(())
    }

    fn wait(&mut self, what: &str, there: impl Fn(&Self) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !there(self) {
            let ended = self.daemons.iter_mut().any(|daemon| daemon.try_wait().is_ok_and(|e| e.is_some()));
            if ended || Instant::now() > deadline {
                return Err(format!("no {what}\n{}", self.logs()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn logs(&self) -> String {
        let of = |name| std::fs::read_to_string(self.folder.path().join(format!("{name}.out")));
        let logs = ["munged", "slurmctld", "slurmd"].map(|name| of(name).unwrap_or_default());
        logs.join("\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
        if self.daemons.len() == 3 {
            let _ = self.command("scancel").args(["--signal=KILL", "--full", "--quiet", "--me"]).output();
            let _ = self.command("scancel").args(["--quiet", "--me"]).output();
            let deadline = Instant::now() + Duration::from_secs(10);
            let queue = || self.command("squeue").arg("--noheader").output();
            while queue().is_ok_and(|q| !q.stdout.is_empty()) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        for daemon in self.daemons.iter_mut().rev() {
            // the daemon itself: setpriv has become it
            let _ = Command::new("kill").arg(daemon.id().to_string()).status();
            let _ = daemon.wait();
        }
    }
}

fn said(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A port that nobody uses.
fn port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn configuration(folder: &Path, host: &str) -> String {
    let (folder, user) = (folder.display(), said("id", "-un"));
    let (controller, node) = (port(), port());
    format!(
        "ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0
MaxArraySize={ARRAY}
MaxJobCount=100
MinJobAge=2
KillWait=1
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"
    )
}
