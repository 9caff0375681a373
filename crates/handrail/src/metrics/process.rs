//! What the operating system knows of this process. Linux tells it in `/proc`; elsewhere nothing is told.

use super::{catalogue as c, page::Page};
use std::fs;

/// Ticks of a second in `/proc/self/stat`. SPEC: proc(5), sysconf(_SC_CLK_TCK): 100 wherever this program is built for.
const TICKS: f64 = 100.0;

/// Adds what is known.
pub(crate) fn collect(page: &mut Page, started_s: i64) {
    if let Ok(stat) = fs::read_to_string("/proc/self/stat") {
        // The program's name, in brackets, may hold blanks: what follows it has fixed places.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let field = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok());
        if let (Some(virtual_bytes), Some(pages)) = (field(20), field(21)) {
            page.value(&c::RESIDENT, pages.saturating_mul(rustix::param::page_size() as u64));
            page.value(&c::VIRTUAL, virtual_bytes);
        }
        if let (Some(user), Some(system)) = (field(11), field(12)) {
            #[expect(clippy::cast_precision_loss, reason = "ticks since the start fit into 53 bits")]
            page.value(&c::CPU, (user + system) as f64 / TICKS);
        }
        if let Some(threads) = field(17) {
            page.value(&c::THREADS, threads);
        }
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // One of them is this listing's.
        page.value(&c::OPEN_FDS, open.count().saturating_sub(1));
    }
    if let Some(most) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        page.value(&c::MAX_FDS, most);
    }
    page.value(&c::STARTED, started_s);
}
