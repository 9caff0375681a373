//! A server process in a directory of its own, and how tests talk to it.

mod exposition;
mod http;

pub(crate) use exposition::Exposition;
pub(crate) use http::{Answer, Http, Identity, Seen, handshake, tls, tls_as};

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};
use tempfile::TempDir;

/// Time for a server to be ready on a busy machine.
const READY: Duration = Duration::from_secs(60);

/// The binary under test.
pub(crate) fn handrail() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handrail"));
    command.env_remove("HANDRAIL_LOG_LEVEL").stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(arguments: I) -> Output {
    handrail().args(arguments).output().unwrap()
}

/// Standard output of a command that must succeed.
pub(crate) fn ok(output: &Output) -> String {
    assert!(output.status.success(), "failed: {}\n{}", stderr(output), stdout(output));
    stdout(output)
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running `handrail serve`. Killed when dropped.
pub(crate) struct Server {
    pub(crate) directory: PathBuf,
    /// FHIR base, as the server printed it.
    pub(crate) base: String,
    pub(crate) port: u16,
    /// Where its metrics are read, when they are.
    metrics: Mutex<(mpsc::Receiver<String>, Option<String>)>,
    child: Child,
    log: Arc<Mutex<String>>,
    reading: Option<JoinHandle<()>>,
    _own: Option<TempDir>,
}

impl Server {
    /// An empty server.
    pub(crate) fn start() -> Self {
        let own = tempfile::tempdir().unwrap();
        let mut server = Self::on(&own.path().join("data"), &[]);
        server._own = Some(own);
        server
    }

    /// An empty server with this configuration.
    pub(crate) fn configured(config: &str) -> Self {
        let own = tempfile::tempdir().unwrap();
        let file = own.path().join("handrail.toml");
        std::fs::write(&file, config).unwrap();
        let mut server = Self::on(&own.path().join("data"), &["--config", file.to_str().unwrap()]);
        server._own = Some(own);
        server
    }

    /// A server on this directory.
    pub(crate) fn on(directory: &Path, more: &[&str]) -> Self {
        let mut command = handrail();
        command.arg("serve").arg("--data").arg(directory).args(["--listen", "127.0.0.1:0"]).args(more);
        Self::spawn(command, directory)
    }

    /// A server on this directory that writes all that it ever writes: every request, every level of the log, metrics.
    pub(crate) fn telling_all(directory: &Path) -> Self {
        let mut command = handrail();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--log-level", "trace"])
            .args(["--log-access", "all", "--log-format", "json", "--data"])
            .arg(directory)
            .env("RUST_LOG", "trace");
        Self::spawn(command, directory)
    }

    /// Starts a command that serves, and waits for its line.
    pub(crate) fn spawn(mut command: Command, directory: &Path) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (line, ready) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for text in lines.map_while(Result::ok) {
                if let Some(base) = text.strip_prefix("listening on ") {
                    let _ = line.send(base.to_owned());
                }
            }
        });
        let log = Arc::new(Mutex::new(String::new()));
        let errors = BufReader::new(child.stderr.take().unwrap()).lines();
        let collected = Arc::clone(&log);
        let (metrics_line, metrics) = mpsc::channel();
        let reading = std::thread::spawn(move || {
            for text in errors.map_while(Result::ok) {
                let line: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
                if let Some(url) = line["metrics"].as_str() {
                    let _ =
                        metrics_line.send(url.trim_start_matches("http://").trim_end_matches("/metrics").to_owned());
                }
                let mut all = collected.lock().unwrap();
                all.push_str(&text);
                all.push('\n');
            }
        });
        let Ok(base) = ready.recv_timeout(READY) else {
            let _ = child.kill();
            let _ = reading.join();
            panic!("the server did not get ready: {}", log.lock().unwrap());
        };
        let port = base.trim_start_matches("https://").split(['/', ':']).nth(1).unwrap().parse().unwrap();
        let metrics = Mutex::new((metrics, None));
        Self { directory: directory.to_owned(), base, port, metrics, child, log, reading: Some(reading), _own: None }
    }

    /// Its CA file.
    pub(crate) fn ca(&self) -> PathBuf {
        self.directory.join("tls/ca.pem")
    }

    /// Registers a client with this scope; its id and key file.
    pub(crate) fn client(&self, name: &str, scope: &str) -> Client {
        add_client(&self.directory, name, scope)
    }

    /// An access token with all that the client may ask for.
    pub(crate) fn token(&self, client: &Client) -> String {
        let output = handrail()
            .args(["token", "--server", &self.base, "--client", &client.id])
            .arg("--key")
            .arg(&client.key)
            .arg("--ca")
            .arg(self.ca())
            .output()
            .unwrap();
        ok(&output).trim().to_owned()
    }

    /// A token for everything.
    pub(crate) fn full_token(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("full-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.token(&self.client(&name, "system/*.cruds"))
    }

    /// A connection, HTTP/1.1.
    pub(crate) async fn http(&self) -> Http {
        Http::connect(self.port, &self.ca(), false).await
    }

    /// Sends a signal and waits for the end: the exit code.
    pub(crate) fn stop(&mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        let code = self.child.wait().unwrap().code();
        if let Some(reading) = self.reading.take() {
            reading.join().unwrap();
        }
        code
    }

    /// What it wrote to standard error so far; all of it once it has stopped.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// An answer of the metrics listener: head and body.
    pub(crate) fn scrape(&self, request: &str) -> (String, String) {
        let address = {
            let mut metrics = self.metrics.lock().unwrap();
            let (line, known) = &mut *metrics;
            known.get_or_insert_with(|| line.recv_timeout(READY).unwrap()).clone()
        };
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "{request} HTTP/1.1\r\nHost: metrics\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    /// The metrics of now, checked to be what Prometheus reads.
    pub(crate) fn metrics(&self) -> Exposition {
        let (head, body) = self.scrape("GET /metrics");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        Exposition::parse(&body)
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").arg(format!("-{signal}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A registered client.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) key: PathBuf,
}

/// Registers a system of the facility's own on a data directory, served or not.
pub(crate) fn add_client(directory: &Path, name: &str, scope: &str) -> Client {
    let key = directory.with_file_name(format!("{name}.jwk"));
    let output = handrail()
        .args(["client", "add", name, "--scope", scope, "--custodian", "--data"])
        .arg(directory)
        .arg("--generate-key")
        .arg(&key)
        .output()
        .unwrap();
    Client { id: ok(&output).trim_end_matches('\n').to_owned(), key }
}
