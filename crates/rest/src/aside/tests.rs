//! F66: small work stays, large work is lent a thread, and no more at once than there are places.

use super::Aside;
use crate::{failure::Failure, limits};
use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::channel,
    },
    task::{Context, Poll, Waker},
};

const LARGE: usize = limits::INLINE_BYTES_MAX + 1;

fn counted(places: usize) -> (Arc<Aside>, Arc<AtomicUsize>) {
    let lent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&lent);
    let lend = move |work: &mut (dyn FnMut() + Send)| {
        count.fetch_add(1, Ordering::SeqCst);
        work();
    };
    (Arc::new(Aside::with_places(Arc::new(lend), places)), lent)
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn only_large_work_is_lent_a_thread() {
    let (aside, lent) = counted(1);
    assert_eq!(wait(aside.run(limits::INLINE_BYTES_MAX, || Ok(1))).unwrap(), 1);
    assert_eq!(lent.load(Ordering::SeqCst), 0);
    assert_eq!(wait(aside.run(LARGE, || Ok(2))).unwrap(), 2);
    assert!(matches!(wait(aside.run(LARGE, || Err::<(), _>(Failure::NotFound))), Err(Failure::NotFound)));
    assert_eq!(lent.load(Ordering::SeqCst), 2);
}

#[test]
fn what_finds_no_place_waits_without_a_thread() {
    let (aside, _) = counted(1);
    let (begun, has_begun) = channel();
    let (go_on, may_go_on) = channel::<()>();
    let first = std::thread::spawn({
        let aside = Arc::clone(&aside);
        move || {
            let work = move || {
                begun.send(()).unwrap();
                may_go_on.recv().map_err(|_| Failure::Fault)
            };
            wait(aside.run(LARGE, work))
        }
    });
    has_begun.recv().unwrap();
    let mut second = pin!(aside.run(LARGE, || Ok(2)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(second.as_mut().poll(&mut context).is_pending(), "the one place is taken");
    assert_eq!(wait(aside.run(1, || Ok(3))).unwrap(), 3, "small work needs none");
    go_on.send(()).unwrap();
    first.join().unwrap().unwrap();
    assert!(matches!(second.as_mut().poll(&mut context), Poll::Ready(Ok(2))));
}

/// A fault of the program gives its place back (row H42).
#[test]
fn a_panic_gives_the_place_back() {
    let (aside, _) = counted(1);
    let panics = || wait(aside.run(LARGE, || -> Result<(), Failure> { panic!("a fault of the program") }));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
    assert_eq!(wait(aside.run(LARGE, || Ok(1))).unwrap(), 1);
}
