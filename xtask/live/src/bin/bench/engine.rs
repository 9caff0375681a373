//! The reference for commits: the engine alone, writing the same keys and bytes.
//!
//! The keys and values are those that handrail wrote for the same resources: they are read out of
//! its data directory after it has stopped, dealt evenly into one share per resource, and written
//! to an empty engine by one thread that commits whatever its clients have queued, with one sync.
//! No HTTP, TLS, JSON, validation, extraction, permission or audit.

use crate::load::Measured;
use fjall::{Database, KeyspaceCreateOptions, PersistMode, Readable};
use std::{
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

type Share = Vec<(usize, Vec<u8>, Vec<u8>)>;

/// Names of the keyspaces, and one share of rows for each resource.
pub(crate) struct Rows {
    names: Vec<String>,
    shares: Vec<Share>,
}

/// Shares that are kept in memory: more than any turn writes.
const SHARES_MAX: usize = 40_000;

/// Reads all rows of a stopped handrail's engine directory, dealt into `resources` shares.
pub(crate) fn rows(directory: &Path, resources: usize) -> Result<Rows, fjall::Error> {
    let database = Database::builder(directory).open()?;
    let names: Vec<String> = database.list_keyspace_names().iter().map(|name| name.to_string()).collect();
    let mut shares: Vec<Share> = vec![Vec::new(); resources.min(SHARES_MAX)];
    let snapshot = database.snapshot();
    for (number, name) in names.iter().enumerate() {
        let keyspace = database.keyspace(name, KeyspaceCreateOptions::default)?;
        for (n, guard) in snapshot.iter(&keyspace).enumerate() {
            let (key, value) = guard.into_inner()?;
            if let Some(share) = shares.get_mut(n % resources) {
                share.push((number, key.to_vec(), value.to_vec()));
            }
        }
    }
    Ok(Rows { names, shares })
}

/// Writes the shares with `clients` threads, each waiting for its `unit` shares to be durable
/// before it sends the next. Measured is per unit.
pub(crate) fn write(
    rows: &Rows,
    directory: &Path,
    clients: usize,
    unit: usize,
    time: Duration,
) -> Result<Measured, fjall::Error> {
    let database = Database::builder(directory).open()?;
    let keyspaces = rows
        .names
        .iter()
        .map(|name| database.keyspace(name, KeyspaceCreateOptions::default))
        .collect::<Result<Vec<_>, _>>()?;
    let (send, receive) = mpsc::channel::<(Vec<&Share>, mpsc::Sender<()>)>();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for client in 0..clients {
            let send = send.clone();
            threads.push(scope.spawn(move || {
                let (done, wait) = mpsc::channel();
                let mut latencies = Vec::new();
                let mut units = rows.shares.chunks(unit).skip(client).step_by(clients);
                while begin.elapsed() < time {
                    let Some(shares) = units.next() else { break };
                    let sent = Instant::now();
                    if send.send((shares.iter().collect(), done.clone())).is_err() || wait.recv().is_err() {
                        break;
                    }
                    latencies.push(sent.elapsed());
                }
                latencies
            }));
        }
        drop(send);
        while let Ok(first) = receive.recv() {
            let mut group = vec![first];
            while let Ok(next) = receive.try_recv() {
                group.push(next);
            }
            let mut batch = database.batch();
            for (number, key, value) in group.iter().flat_map(|(shares, _)| shares.iter().copied().flatten()) {
                if let Some(keyspace) = keyspaces.get(*number) {
                    batch.insert(keyspace, key.as_slice(), value.as_slice());
                }
            }
            batch.commit()?;
            database.persist(PersistMode::SyncAll)?;
            for (_, done) in group {
                let _ = done.send(());
            }
        }
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().unwrap_or_default());
        }
        Ok(Measured::from(all, begin.elapsed()))
    })
}
