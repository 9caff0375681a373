//! The subject: the handrail binary as an operator starts it, with a client and a token.

use crate::client;
use std::{
    io::{self, BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
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
    binary: PathBuf,
    data: PathBuf,
}

fn failed(what: &str) -> io::Error {
    io::Error::other(format!("handrail: {what}"))
}

impl Subject {
    /// Starts `handrail serve` and waits for its first answer. The port is free at the first start of
    /// a data directory and the same at every later one: another base URL would index all anew.
    ///
    /// # Errors
    /// What the process or the network says.
    pub async fn start(binary: &Path, data: &Path) -> io::Result<Self> {
        let port_file = data.join("port");
        let port = match std::fs::read_to_string(&port_file) {
            Ok(port) => port,
            Err(_) => {
                let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
                std::fs::write(&port_file, &free)?;
                free
            }
        };
        let begin = Instant::now();
        let mut child = Command::new(binary)
            .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let out = child.stdout.take().ok_or_else(|| failed("no standard output"))?;
        let line = BufReader::new(out)
            .lines()
            .find_map(|line| line.ok()?.strip_prefix("listening on ").map(str::to_owned))
            .ok_or_else(|| failed("did not say where it listens"))?;
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
        let base = line.trim().to_owned();
        Ok(Self { child, address, base, tls, start, binary: binary.to_owned(), data: data.to_owned() })
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

    fn run(&self, arguments: &[&str]) -> io::Result<String> {
        let output = Command::new(&self.binary).args(arguments).output()?;
        if !output.status.success() {
            return Err(failed(&String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
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
