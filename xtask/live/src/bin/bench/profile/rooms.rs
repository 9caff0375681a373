//! Which part of the house a sample belongs to.
//!
//! From the top of the stack downwards, the first frame of a crate that has a room decides; what
//! stands above it (the standard library, copying, hashing, LZ4) works for that room. Three things
//! are rooms by themselves wherever they are called from: the kernel, the allocator with what it
//! clears and copies, and the engine's own threads.

use Room::*;

/// One function of a stack.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) name: String,
    pub(crate) kernel: bool,
}

/// The rooms, each with its name in the table, in the order of a request's way.
macro_rules! rooms {
    ($($room:ident: $name:literal),* $(,)?) => {
        /// A part of the house.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Room {
            $($room,)*
        }

        impl Room {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$($room,)*];

            /// As the table says it.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $($room => $name,)*
                }
            }
        }
    };
}

rooms! {
    Tls: "TLS",
    Http: "HTTP",
    Binary: "router, listener",
    Rest: "rest",
    Token: "token",
    Policy: "policy",
    Json: "JSON",
    Values: "FHIR values",
    Validation: "validation",
    FhirPath: "FHIRPath",
    Query: "search, matching",
    Extraction: "extraction",
    Plan: "store plan",
    Store: "store, other",
    Writer: "store writer",
    PointLookUps: "engine point look-ups",
    Ranges: "engine ranges",
    EngineWrites: "engine writes",
    EngineOther: "engine, other",
    Compaction: "flush, compaction",
    Audit: "audit",
    Allocator: "allocator",
    Runtime: "runtime",
    KernelNet: "kernel net",
    KernelFiles: "kernel files",
    KernelMemory: "kernel memory",
    KernelThreads: "kernel threads",
    KernelOther: "kernel, other",
    Other: "other",
}

const OURS: [&str; 12] = [
    "fhir",
    "fhirpath",
    "search",
    "validation",
    "oauth",
    "policy",
    "audit",
    "store",
    "rest",
    "authserver",
    "handrail",
    "story",
];

/// Whether a function is one of this workspace.
pub(crate) fn is_ours(name: &str) -> bool {
    path(name).split_once("::").is_some_and(|(package, _)| OURS.contains(&package))
}

/// `<&mut a::B<C> as d::E>::f` → `a::B<C> as d::E>::f`
fn path(name: &str) -> &str {
    let mut name = name;
    loop {
        let shorter = ["<", "&", "mut ", "dyn ", "*const ", "*mut ", "["]
            .iter()
            .fold(name, |name, prefix| name.strip_prefix(prefix).unwrap_or(name));
        if shorter.len() == name.len() {
            return name;
        }
        name = shorter;
    }
}

fn any(frames: &[Frame], words: &[&str]) -> bool {
    frames.iter().any(|frame| words.iter().any(|word| frame.name.contains(word)))
}

const ALLOCATOR: [&str; 14] = [
    "malloc",
    "free",
    "calloc",
    "realloc",
    "cfree",
    "_int_",
    "unlink_chunk",
    "sysmalloc",
    "systrim",
    "tcache",
    "arena_get",
    "je_",
    "_rjem_",
    "memalign",
];

/// The room of a sample; frames are those of its stack, the running function first.
pub(crate) fn room(thread: &str, frames: &[Frame]) -> Room {
    let Some(top) = frames.first() else { return Other };
    if top.kernel {
        let kernel = frames.get(..frames.iter().take_while(|frame| frame.kernel).count()).unwrap_or_default();
        return in_kernel(kernel);
    }
    if thread.starts_with("fjall") {
        return Compaction;
    }
    let called = top.name.trim_start_matches("__libc_").trim_start_matches("__");
    if !top.name.contains("::") && ALLOCATOR.iter().any(|name| called.starts_with(name)) {
        return Allocator;
    }
    frames.iter().find_map(|frame| of_function(&frame.name, frames)).unwrap_or(Other)
}

fn in_kernel(frames: &[Frame]) -> Room {
    if any(
        frames,
        &["tcp_", "sock_", "inet_", "ip_", "skb_", "napi", "net_rx", "unix_stream", "_sys_recv", "_sys_send"],
    ) {
        KernelNet
    } else if any(frames, &["ep_", "epoll", "futex", "schedule", "wake_up", "nanosleep", "timer", "eventfd"]) {
        KernelThreads
    } else if any(
        frames,
        &["ext4", "jbd2", "vfs_", "fsync", "blk_", "bio_", "filemap", "iomap", "virtio", "xfs", "btrfs"],
    ) {
        KernelFiles
    } else if any(frames, &["fault", "mmap", "munmap", "madvise", "brk", "mprotect", "zap_p", "page_alloc"]) {
        KernelMemory
    } else {
        KernelOther
    }
}

/// mimalloc is C within the binary: its functions are named by its files (`v3::alloc.c::mi_malloc`),
/// or by nothing but themselves; around them are the crate that binds it and our own few lines.
fn is_mimalloc(path: &str) -> bool {
    let (module, function) = path.rsplit_once("::").unwrap_or(("", path));
    let is_c = module.is_empty() || [".c", ".h"].iter().any(|end| module.ends_with(end));
    is_c && ["mi_", "_mi_"].iter().any(|begin| function.starts_with(begin))
        || ["mimalloc::", "libmimalloc_sys::", "handrail::allocator::"].iter().any(|begin| path.starts_with(begin))
}

fn of_function(name: &str, frames: &[Frame]) -> Option<Room> {
    let path = path(name);
    if is_mimalloc(path) {
        return Some(Allocator);
    }
    let Some((package, rest)) = path.split_once("::") else { return of_c(name) };
    Some(match package {
        "rustls" | "tokio_rustls" | "webpki" => Tls,
        "hyper" | "hyper_util" | "h2" | "http" | "httparse" | "http_body" | "http_body_util" | "httpdate" => Http,
        "handrail" => Binary,
        "rest" => Rest,
        "oauth" | "authserver" => Token,
        "policy" => Policy,
        "fhir" if rest.starts_with("json::") => Json,
        "fhir" => Values,
        "validation" => Validation,
        "fhirpath" => FhirPath,
        "search" if ["extract", "index_", "fold"].iter().any(|m| rest.starts_with(m)) => Extraction,
        "search" => Query,
        "audit" => Audit,
        "store" if rest.starts_with("engine::audit_files") => Audit,
        "store" if rest.starts_with("engine::") => return Some(in_engine(frames)),
        "store" if rest.starts_with("plan") => Plan,
        "store" if rest.starts_with("writer") || rest.starts_with("transaction") => Writer,
        "store" => Store,
        "fjall" | "lsm_tree" => return Some(in_engine(frames)),
        "tokio" | "mio" => Runtime,
        _ => return None,
    })
}

/// What the engine is asked for: the seam's function nearest to the top tells.
fn in_engine(frames: &[Frame]) -> Room {
    if any(frames, &["lsm_tree::compaction", "AbstractTree::flush", "fjall::worker", "fjall::flush"]) {
        return Compaction;
    }
    let seam = |frame: &Frame| {
        let name = path(&frame.name).strip_prefix("store::engine::")?.to_owned();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if has(&["Batch", "commit", "persist", "put", "remove"]) {
            Some(EngineWrites)
        } else if has(&["Pairs", "range", "prefix", "next_"]) || name == "from" {
            Some(Ranges)
        } else if has(&["View", "Hot", "hot::", "value"]) {
            Some(PointLookUps)
        } else {
            None
        }
    };
    let engine = |frame: &Frame| {
        let name = path(&frame.name);
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if !(name.starts_with("lsm_tree::") || name.starts_with("fjall::")) {
            None
        } else if has(&["batch", "journal", "persist", "insert", "append"]) {
            Some(EngineWrites)
        } else if has(&["range", "merge", "Iter", "iter", "next"]) {
            Some(Ranges)
        } else if has(&["get", "point"]) {
            Some(PointLookUps)
        } else {
            None
        }
    };
    frames.iter().find_map(seam).or_else(|| frames.iter().find_map(engine)).unwrap_or(EngineOther)
}

/// C and assembly: the cipher's stack often ends within it.
fn of_c(name: &str) -> Option<Room> {
    let cipher = ["aes", "gcm", "chacha", "poly1305", "ecp_", "p256", "p384", "x25519", "EVP_AEAD", "aead_"];
    (name.starts_with("aws_lc_") && cipher.iter().any(|word| name.contains(word))).then_some(Tls)
}
