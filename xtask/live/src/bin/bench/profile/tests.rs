//! Rooms of made-up stacks, and the lines of `perf script`.

use super::{Frame, Room, frame, module, rooms::room, tidy, without_generics};

fn stack(names: &[&str]) -> Vec<Frame> {
    let frame = |name: &&str| match name.strip_prefix("k:") {
        Some(name) => Frame { name: name.to_owned(), kernel: true },
        None => Frame { name: (*name).to_owned(), kernel: false },
    };
    names.iter().map(frame).collect()
}

#[test]
fn the_first_crate_from_the_top_decides() {
    let cases: &[(&[&str], Room)] = &[
        (&["__memmove_avx", "<fhir::json::Writer>::raw", "rest::answer"], Room::Json),
        (&["<alloc::vec::Vec<store::plan::Row> as core::ops::Drop>::drop", "store::plan::run"], Room::Plan),
        (&["malloc", "fhir::json::read"], Room::Allocator),
        (&["_int_free", "cfree", "rest::answer"], Room::Allocator),
        (
            &["lz4_flex::decompress", "lsm_tree::table::get", "<store::engine::View>::value", "rest::x"],
            Room::PointLookUps,
        ),
        (&["lsm_tree::merge::next", "store::engine::Pairs::next_key", "store::plan::run"], Room::Ranges),
        (&["fjall::journal::writer::write", "store::engine::Batch::commit", "store::writer::run"], Room::EngineWrites),
        (&["aws_lc_0_47_0_SHA256", "oauth::bearer::authenticate"], Room::Token),
        (&["aws_lc_0_47_0_aes_gcm_enc"], Room::Tls),
        (&["k:tcp_sendmsg", "k:vfs_write", "tokio::net::write"], Room::KernelNet),
        (&["k:ext4_sync_file", "k:vfs_fsync", "fjall::journal::persist"], Room::KernelFiles),
        (&["k:do_user_addr_fault", "malloc"], Room::KernelMemory),
        (
            &["v3::alloc.c::mi_page_malloc_zero", "handrail::allocator::_::__rust_alloc", "fhir::json::read"],
            Room::Allocator,
        ),
        (&["handrail::allocator::_::__rust_dealloc", "rest::answer"], Room::Allocator),
        (&["__memset_avx", "mi_zalloc_aligned", "mimalloc::alloc_zeroed", "fhir::json::read"], Room::Allocator),
        (&["_mi_free_generic", "store::plan::run"], Room::Allocator),
        (&["mi_stranger::run", "handrail::router::answer"], Room::Binary),
        (&["nowhere"], Room::Other),
    ];
    for (names, expected) in cases {
        assert_eq!(room("tokio-rt-worker", &stack(names)), *expected, "{names:?}");
    }
    assert_eq!(room("fjall:worker", &stack(&["memcmp", "store::x"])), Room::Compaction);
}

#[test]
fn lines_of_perf_script() {
    let line = "\t          5a14a8 <a::B as c::D>::e (/x/handrail)";
    assert_eq!(frame(line), Some((0x005a_14a8, "<a::B as c::D>::e", "/x/handrail")));
    assert_eq!(frame("tokio-rt-worker  5017 "), None);
    assert_eq!(tidy("a::b::h0123456789abcdef"), "a::b");
    assert_eq!(without_generics("compare<u8>"), "compare");
}

#[test]
fn modules_of_files() {
    let cases = [
        ("/r/registry/src/index/lsm-tree-3.1.10/src/merge.rs", "lsm_tree::merge"),
        ("crates/store/src/plan/run.rs", "store::plan::run"),
        ("crates/fhir/src/json/mod.rs", "fhir::json"),
        ("/rustc/0123/library/core/src/lib.rs", "core"),
    ];
    for (file, expected) in cases {
        assert_eq!(module(file).as_deref(), Some(expected), "{file}");
    }
}
