//! Around the store: certificate, clock, disk, limits of the system, permissions of files.

use super::Line;
use crate::{
    clock,
    config::{CertificateFiles, Config},
    http_client::Url,
    limits, print,
    tls::{
        certificate::{Certificate, covers},
        local_ca,
        staple::{self, Staple},
    },
};
use fhir::Instant;
use std::{
    fs, io,
    net::IpAddr,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};
use x509_parser::{extensions::GeneralName, parse_x509_certificate, pem::Pem};

/// Days before its end at which a certificate is worth a warning: automatic renewal has tried by then.
const RENEW_DAYS: i64 = 14;

/// Seconds that a clock may be behind what it was: the audit log's last checkpoint.
const BEHIND_S: i64 = 60;

/// Free bytes under which writes are about to fail, and under which it is time to act.
const FREE_BYTES_LOW: u64 = 1 << 30;
const FREE_BYTES_FEW: u64 = 5 << 30;

/// Free parts of a hundred under which it is time to act.
const FREE_PERCENT_FEW: u64 = 10;

/// Bytes of memory that the server needs under load, beside what the system uses.
const MEMORY_BYTES: u64 = 512 << 20;

/// The certificate that the server would answer with.
pub(crate) fn certificate(config: &Config, directory: &Path) -> Vec<Line> {
    const SUBJECT: &str = "certificate";
    let (files, local) = match &config.certificate {
        Some(files) => (files.clone(), false),
        None => {
            let folder = local_ca::ca_path(directory).with_file_name("");
            (
                CertificateFiles {
                    certificate: folder.join("server.pem"),
                    key: folder.join("server.key"),
                    staple: None,
                },
                true,
            )
        }
    };
    if local && !files.certificate.exists() {
        return vec![Line::note(SUBJECT, "none is configured; the next start makes a local CA, for trying out")];
    }
    let read = |path: &Path| fs::read(path).map_err(|why| (path.to_owned(), why));
    let (chain, key) = match read(&files.certificate).and_then(|chain| Ok((chain, read(&files.key)?))) {
        Ok(pem) => pem,
        Err((path, why)) => {
            let advice = "name a file that this user may read in tls.certificate and tls.key";
            return vec![Line::problem(SUBJECT, format!("{}: {why}", path.display()), advice)];
        }
    };
    let certificate = match Certificate::from_pem(&chain, &key) {
        Ok(certificate) => certificate,
        Err(why) => {
            let found = format!("{}: {why}", files.certificate.display());
            return vec![Line::problem(
                SUBJECT,
                found,
                "put the server's own certificate first and its own key beside it",
            )];
        }
    };
    let mut lines = vec![validity(&certificate, local)];
    lines.extend(files.staple.as_deref().map(|path| stapled(path, &certificate)));
    let names = names(&chain);
    if let Some(host) = config.base_url.as_deref().and_then(|url| Url::parse(url).ok()).map(|url| url.host().to_owned())
        && !names.iter().any(|name| covers(name, &host))
    {
        let found = format!("it is for {}, and base_url names {host}", names.join(", "));
        lines.push(Line::problem(SUBJECT, found, "get a certificate for the host of base_url, or correct base_url"));
    }
    if local {
        lines.push(Line::note(SUBJECT, "it is of the local CA: for trying out, not for real data"));
    }
    lines
}

/// The OCSP response beside it.
fn stapled(path: &Path, certificate: &Certificate) -> Line {
    const SUBJECT: &str = "OCSP response";
    let Some(leaf) = certificate.leaf() else {
        return Line::problem(SUBJECT, "the certificate beside it cannot be read", "get a new certificate");
    };
    match staple::bytes_of(path).and_then(|bytes| Staple::read(&bytes, &leaf, clock::now().unix_seconds())) {
        Ok(staple) => {
            let until = Instant::from_unix_millis(staple.until_s.saturating_mul(1000));
            Line::well(SUBJECT, format!("about the certificate, good until {until}"))
        }
        Err(why) => Line::warning(
            SUBJECT,
            format!("{}: {why}; none is shown", path.display()),
            "have it fetched anew, or take tls.ocsp_staple out",
        ),
    }
}

/// The certificates for hosts that clients name.
pub(crate) fn more_certificates(config: &Config) -> Vec<Line> {
    const SUBJECT: &str = "certificate";
    let look = |files: &CertificateFiles| {
        let path = files.certificate.display();
        let read = |path: &Path| fs::read(path).map_err(|why| format!("{}: {why}", path.display()));
        let read = read(&files.certificate).and_then(|chain| Ok((chain, read(&files.key)?)));
        let found =
            read.and_then(|(chain, key)| Certificate::from_pem(&chain, &key).map_err(|why| format!("{path}: {why}")));
        match found {
            Ok(certificate) => {
                let line = validity(&certificate, false);
                Line { found: format!("{path}: {}", line.found), ..line }
            }
            Err(why) => Line::problem(SUBJECT, why, "correct tls.more_certificates, or the files that it names"),
        }
    };
    config.more_certificates.iter().map(look).collect()
}

fn validity(certificate: &Certificate, local: bool) -> Line {
    const SUBJECT: &str = "certificate";
    let now_s = clock::now().unix_seconds();
    let renew = if local {
        "nothing: the next start makes a new one"
    } else {
        "renew it; a running server takes the new files up by itself"
    };
    let Some((begins_s, ends_s)) = certificate.validity_s() else {
        return Line::problem(SUBJECT, "its dates cannot be read", "get a new one");
    };
    let until = Instant::from_unix_millis(ends_s.saturating_mul(1000));
    let days = (ends_s - now_s).div_euclid(86_400);
    if begins_s > now_s {
        let begins = Instant::from_unix_millis(begins_s.saturating_mul(1000));
        Line::problem(SUBJECT, format!("it is not valid before {begins}"), "set the clock right, or wait")
    } else if ends_s <= now_s {
        Line::problem(SUBJECT, format!("it ended on {until}; clients refuse it"), renew)
    } else if days < RENEW_DAYS && !local {
        Line::warning(SUBJECT, format!("it ends in {days} days, on {until}"), renew)
    } else {
        Line::well(SUBJECT, format!("valid for {days} more days, until {until}"))
    }
}

/// DNS names and addresses of the first certificate of a chain.
fn names(chain: &[u8]) -> Vec<String> {
    let Some(Ok(first)) = Pem::iter_from_buffer(chain).next() else { return Vec::new() };
    let Ok((_, parsed)) = parse_x509_certificate(&first.contents) else { return Vec::new() };
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
        },
        _ => None,
    };
    names.value.general_names.iter().filter_map(name).collect()
}

/// The clock, against the last time that the audit log was signed. Tokens and assertions live minutes.
pub(crate) fn clock(last_signed: Option<Instant>) -> Line {
    const SUBJECT: &str = "clock";
    let now = clock::now();
    let synchronized = ["/run/systemd/timesync/synchronized", "/run/chrony", "/run/ntpd.pid"];
    let behind_s = last_signed.map_or(0, |last| last.unix_seconds() - now.unix_seconds());
    if behind_s > BEHIND_S {
        let found = format!("it says {now}, {behind_s} seconds before the audit log was last signed");
        Line::problem(SUBJECT, found, "set the clock right and have it follow a time server, before clients are let in")
    } else if synchronized.iter().any(|sign| Path::new(sign).exists()) {
        Line::well(SUBJECT, format!("{now}, and a time service runs"))
    } else {
        Line::note(SUBJECT, format!("{now}; whether it follows a time server is not known here"))
    }
}

/// Room on the disk of the data directory.
pub(crate) fn disk(directory: &Path) -> Line {
    const SUBJECT: &str = "disk";
    let disk = match rustix::fs::statvfs(directory) {
        Ok(disk) => disk,
        Err(why) => return Line::problem(SUBJECT, why.to_string(), "see whether the disk is there and mounted"),
    };
    let (free, all) = (disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize));
    let percent = (free.saturating_mul(100)).checked_div(all).unwrap_or(0);
    let found =
        format!("{} free ({percent} %), {} in use here", print::bytes(free), print::bytes(bytes_below(directory)));
    let advice =
        "make room or move the directory to a larger disk; without room the server answers 503 and loses nothing";
    if free < FREE_BYTES_LOW || (disk.f_files > 0 && disk.f_favail == 0) {
        Line::problem(SUBJECT, found, advice)
    } else if free < FREE_BYTES_FEW || percent < FREE_PERCENT_FEW && free < 10 * FREE_BYTES_FEW {
        Line::warning(SUBJECT, found, advice)
    } else {
        Line::well(SUBJECT, found)
    }
}

fn bytes_below(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

/// Limits of the system: open files and memory.
pub(crate) fn system(config: &Config) -> Vec<Line> {
    const SUBJECT: &str = "limits";
    let needed = (config.connections_max + limits::OTHER_FILES) as u64;
    let allowed = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let mut lines = vec![match allowed.filter(|allowed| *allowed < needed) {
        Some(allowed) => Line::warning(
            SUBJECT,
            format!("{allowed} open files are allowed, and {} connections need {needed}", config.connections_max),
            "raise the hard limit (LimitNOFILE= in the service, ulimit -Hn), or lower limits.connections",
        ),
        None => Line::well(SUBJECT, format!("open files for {} connections", config.connections_max)),
    }];
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let available = available.and_then(|kib| kib.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    if let Some(available) = available.map(|kib| kib * 1024).filter(|available| *available < MEMORY_BYTES) {
        let found = format!("{} of memory are free", print::bytes(available));
        lines.push(Line::warning(SUBJECT, found, "give the machine more, or stop what else runs on it"));
    }
    lines
}

/// Who may read what: the directory, all files in it, the key of the certificate.
pub(crate) fn permissions(config: &Config, directory: &Path) -> Vec<Line> {
    const SUBJECT: &str = "permissions";
    let mut open = Vec::new();
    let mut foreign = None;
    let own = rustix::process::geteuid().as_raw();
    let mut paths = vec![directory.to_owned()];
    let keys: Vec<_> = config.certificate.iter().chain(&config.more_certificates).map(|files| &files.key).collect();
    paths.extend(keys.iter().map(|key| (*key).clone()));
    let mut unread = Vec::new();
    while let Some(path) = paths.pop() {
        match look(&path, &mut paths) {
            Ok((mode, owner)) => {
                if mode & 0o077 != 0 {
                    open.push((path.clone(), mode));
                }
                if owner != own && path.starts_with(directory) {
                    foreign.get_or_insert((path, owner));
                }
            }
            // A running server removes files.
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => unread.push((path, why)),
        }
    }
    let mut lines = Vec::new();
    if let Some((path, why)) = unread.first() {
        let found = format!("{}: {why}", path.display());
        lines.push(Line::problem(
            SUBJECT,
            found,
            "run the doctor, and the server, as the user that owns the directory",
        ));
    }
    if let Some((path, owner)) = foreign {
        let found = format!("{} belongs to user {owner}, and this is user {own}", path.display());
        lines.push(Line::warning(SUBJECT, found, "run the server as the user that owns the directory"));
    }
    // What is in a closed directory is closed.
    let reachable = open.iter().any(|(path, _)| path == directory);
    open.retain(|(path, _)| reachable || keys.contains(&path));
    open.sort();
    match open.first() {
        Some((path, mode)) => {
            let more = if open.len() > 1 { format!(", and {} more", open.len() - 1) } else { String::new() };
            let found =
                format!("{} is open to others on this machine (mode {:03o}){more}", path.display(), mode & 0o777);
            lines.push(Line::problem(
                SUBJECT,
                found,
                format!("chmod -R go= {}", print::shell(&path.display().to_string())),
            ));
        }
        None if lines.is_empty() => lines.push(Line::well(SUBJECT, "only this user can read the data and the keys")),
        None => {}
    }
    lines
}

fn look(path: &Path, further: &mut Vec<PathBuf>) -> io::Result<(u32, u32)> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            further.push(entry?.path());
        }
    }
    // A link has no mode of its own; what it leads to is another's business.
    let mode = if metadata.is_symlink() { 0 } else { metadata.permissions().mode() };
    Ok((mode, metadata.uid()))
}
