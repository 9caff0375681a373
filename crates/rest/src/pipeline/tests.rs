//! A panic is caught where it happens (H42).

use super::caught;
use crate::failure::Failure;
use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

fn run<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn a_panic_becomes_a_fault() {
    let outcome: Result<(), Failure> = run(caught(async { panic!("a fault of the program") }));
    assert!(matches!(outcome, Err(Failure::Fault)));
    assert!(run(caught(async { Ok(1) })).is_ok_and(|one| one == 1));
}
