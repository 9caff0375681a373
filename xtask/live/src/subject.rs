//! The subject: the handrail binary as an operator starts it, with a client and a token.

use crate::client;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

/// A running server; killed when dropped.
pub struct Subject {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its FHIR base URL.
    pub base: String,
    /// Trusts its CA.
    pub tls: Arc<rustls::ClientConfig>,
    /// From the start of the process to its first answer over TLS.
    pub start: Duration,
    /// Processor time that it took until then.
    pub start_processor: Duration,
    binary: PathBuf,
    data: PathBuf,
}

/// Below the ports that Linux gives to outgoing connections: one of those could take ours while the
/// server is away.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port that is free and was not given before: a server that rests keeps its port. Each process
/// begins its search at another place.
fn free_port() -> io::Result<u16> {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let count = PORTS.end - PORTS.start;
    let begin = u16::try_from(std::process::id() % u32::from(count)).unwrap_or(0);
    for _ in 0..count {
        let n = GIVEN.fetch_add(1, Ordering::Relaxed) % count;
        let port = PORTS.start + (begin + n) % count;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other("no free port"))
}

/// Where the log lines of the server on this data directory go: beside it.
pub fn log_of(data: &Path) -> PathBuf {
    data.with_extension("log")
}

fn failed(what: &str) -> io::Error {
    io::Error::other(format!("handrail: {what}"))
}

impl Subject {
    /// Starts `handrail serve` on a data directory, which is made when it is missing, and waits for its
    /// first answer. The port is free at the first start of a data directory and the same at every
    /// later one: another base URL would index all anew.
    ///
    /// # Errors
    /// What the process or the network says.
    pub async fn start(binary: &Path, data: &Path) -> io::Result<Self> {
        Self::start_with(binary, data, &[]).await
    }

    /// The same, with further arguments of `serve`.
    ///
    /// # Errors
    /// What the process or the network says.
    pub async fn start_with(binary: &Path, data: &Path, more: &[&str]) -> io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data)?;
        let port_file = data.join("port");
        let port = match std::fs::read_to_string(&port_file) {
            Ok(port) => port,
            Err(_) => {
                let free = free_port()?.to_string();
                let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&port_file)?;
                file.write_all(free.as_bytes())?;
                free
            }
        };
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"]).arg(data).args(more);
        Self::run_server(command, binary, data).await
    }

    /// Starts `handrail demo` and waits for its first answer, after the story was told.
    ///
    /// # Errors
    /// What the process or the network says.
    pub async fn demo(binary: &Path, data: &Path) -> io::Result<Self> {
        let mut command = Command::new(binary);
        command.args(["demo", "--listen", &format!("127.0.0.1:{}", free_port()?), "--data"]).arg(data);
        Self::run_server(command, binary, data).await
    }

    async fn run_server(mut command: Command, binary: &Path, data: &Path) -> io::Result<Self> {
        let log = File::options().create(true).append(true).open(log_of(data))?;
        let begin = Instant::now();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn()?;
        let out = child.stdout.take().ok_or_else(|| failed("no standard output"))?;
        let mut lines = BufReader::new(out).lines();
        let place = |line: io::Result<String>| {
            let line = line.ok()?;
            let line = line.trim();
            line.strip_prefix("listening on ").or(line.strip_prefix("FHIR base")).map(|base| base.trim().to_owned())
        };
        let Some(line) = lines.by_ref().find_map(place) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(failed(&format!("did not say where it listens; see {}", log_of(data).display())));
        };
        // What it says further is read too: a closed pipe would end it.
        std::thread::spawn(move || lines.for_each(drop));
        let port = line
            .rsplit_once(':')
            .and_then(|(_, rest)| rest.split('/').next()?.parse().ok())
            .ok_or_else(|| failed("did not name a port"))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let tls = client::tls(&std::fs::read(data.join("tls/ca.pem"))?)?;
        let mut connection = client::Connection::open(address, &tls).await?;
        let answer = connection.send(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n", false).await?;
        if answer.status != 200 {
            return Err(failed("is not ready"));
        }
        let start = begin.elapsed();
        let start_processor = processor_time(child.id());
        let base = line.trim().to_owned();
        Ok(Self { child, address, base, tls, start, start_processor, binary: binary.to_owned(), data: data.to_owned() })
    }

    /// Registers a client with a fresh key; its id and key file.
    ///
    /// # Errors
    /// What the process or the network says.
    pub fn register(&self, scope: &str) -> io::Result<(String, PathBuf)> {
        let key = self.data.join("bench-client.jwk");
        let _ = std::fs::remove_file(&key);
        let id = self.run(&[
            "client",
            "add",
            "bench",
            "--scope",
            scope,
            "--custodian",
            "--data",
            &self.data.to_string_lossy(),
            "--generate-key",
            &key.to_string_lossy(),
        ])?;
        Ok((id, key))
    }

    /// A fresh token.
    ///
    /// # Errors
    /// What the process or the network says.
    pub fn token(&self, (id, key): &(String, PathBuf)) -> io::Result<String> {
        let ca = self.data.join("tls/ca.pem");
        self.run(&[
            "token",
            "--server",
            &self.base,
            "--client",
            id,
            "--key",
            &key.to_string_lossy(),
            "--ca",
            &ca.to_string_lossy(),
        ])
    }

    /// Carries out a command on its data directory, as the operator of the machine; what it prints.
    ///
    /// # Errors
    /// What the process says.
    pub fn operate(&self, arguments: &[&str]) -> io::Result<String> {
        self.run(&[arguments, &["--data", &self.data.to_string_lossy()]].concat())
    }

    fn run(&self, arguments: &[&str]) -> io::Result<String> {
        let output = Command::new(&self.binary).args(arguments).output()?;
        if !output.status.success() {
            return Err(failed(&String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        memory(self.child.id()).resident
    }

    /// Ends it at once, as `kill -9` does.
    ///
    /// # Errors
    /// What the process says.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts a server on a data directory that has a port already, and ends it at once after a while.
    ///
    /// # Errors
    /// What the process says.
    pub fn start_and_kill(binary: &Path, data: &Path, after: Duration) -> io::Result<()> {
        let port = std::fs::read_to_string(data.join("port"))?;
        let log = File::options().create(true).append(true).open(log_of(data))?;
        let mut child = Command::new(binary)
            .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arg(data)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        std::thread::sleep(after);
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// What the process or the network says.
    pub fn stop(mut self) -> io::Result<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Resident memory of a process, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// All of it.
    pub resident: u64,
    /// What no file stands behind: heaps and stacks.
    pub anonymous: u64,
}

/// Resident memory of a process; zeros when it is gone.
pub fn memory(process: u32) -> Memory {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
    };
    Memory { resident: field("VmRSS:"), anonymous: field("RssAnon:") }
}

/// Processor time that a process took so far, all threads, in its own and the kernel's code.
pub fn processor_time(process: u32) -> Duration {
    // SPEC: proc(5): fields 14 and 15, in ticks of 10 ms on all Linux of today.
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Processor time that all processes of this machine took since it started, and what the machine below
/// it took from it; interrupts are not counted, since they belong to whoever waits for the network.
pub fn machine_time() -> Duration {
    // SPEC: proc(5): `cpu user nice system idle iowait irq softirq steal`, in ticks of 10 ms.
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<u64> =
        stat.lines().next().unwrap_or_default().split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    let ticks: u64 = [0, 1, 2, 7].iter().filter_map(|at| fields.get(*at)).sum();
    Duration::from_millis(ticks * 10)
}

/// Bytes of all files below a directory.
pub fn bytes_below(directory: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => bytes_below(&entry.path()),
            // Blocks, not length: files made longer in advance hold nothing yet.
            Ok(meta) => meta.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}
