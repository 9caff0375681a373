//! Who waits is woken, not before the moment, in whatever order they came.

use super::*;
use std::time::Duration;

#[tokio::test]
async fn everyone_is_woken_and_none_too_early() {
    let steps = Steps::start().unwrap();
    let begun = Instant::now();
    let moments = [9, 3, 6, 0].map(|ms| begun + Duration::from_millis(ms));
    let waits = moments.map(|moment| steps.until(moment));
    for (moment, wait) in moments.into_iter().zip(waits) {
        wait.await;
        assert!(Instant::now() >= moment);
    }
    let after = steps.until(begun + Duration::from_secs(3600));
    drop(steps);
    after.await;
}
