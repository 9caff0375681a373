//! What is left of an HTTP/2 request body that nobody read, because the request was refused before.
//!
//! A server may answer early and reset the stream (RFC 9113 section 8.1), but curl 7 and others take
//! the reset for a failure and lose the answer: they never see the 401 or 413. So a rest of bounded
//! size is received and thrown away, unread, before the answer goes. HTTP/1.1 needs none of this: it
//! closes the connection, and `Expect: 100-continue` must not be granted to a body that is refused.

use crate::limits;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::time::timeout;

/// A body that comes back when it is dropped before its end.
pub(crate) struct Lent<B> {
    body: Option<B>,
    home: Arc<Mutex<Option<B>>>,
}

/// Where it comes back to.
pub(crate) struct Left<B>(Arc<Mutex<Option<B>>>);

/// Lends a body.
pub(crate) fn lend<B>(body: B) -> (Lent<B>, Left<B>) {
    let home = Arc::new(Mutex::new(None));
    (Lent { body: Some(body), home: Arc::clone(&home) }, Left(home))
}

impl<B> Drop for Lent<B> {
    fn drop(&mut self) {
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Lent<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.body.as_mut().map_or(Poll::Ready(None), |body| Pin::new(body).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl<B: Body<Data = Bytes> + Unpin> Left<B> {
    /// Throws away what is left, within [`limits::LINGER_BYTES_MAX`] and [`limits::LINGER`].
    pub(crate) async fn discard(self) {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = left.filter(|body| body.size_hint().lower() <= limits::LINGER_BYTES_MAX) else { return };
        let all = async {
            let mut bytes = 0;
            while let Some(Ok(frame)) = body.frame().await {
                bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
                if bytes > limits::LINGER_BYTES_MAX {
                    break;
                }
            }
        };
        // A peer that is too slow gets the answer and the reset.
        let _ = timeout(limits::LINGER, all).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{Full, channel::Channel};
    use std::convert::Infallible;
    use tokio::time::Instant;

    #[tokio::test]
    async fn a_body_that_nobody_reads_is_received_to_its_end() {
        let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
        let (lent, left) = lend(body);
        drop(lent);
        let sending = tokio::spawn(async move {
            for _ in 0..100 {
                sender.send_data(Bytes::from_static(&[0; 1024])).await.unwrap();
            }
        });
        left.discard().await;
        sending.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn f66_neither_endless_nor_silent_bodies_are_waited_for() {
        let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
        let (lent, left) = lend(body);
        drop(lent);
        let part = Bytes::from(vec![0; 1024 * 1024]);
        let endless = tokio::spawn(async move { while sender.send_data(part.clone()).await.is_ok() {} });
        left.discard().await;
        endless.await.unwrap();

        let (_silent, body) = Channel::<Bytes, Infallible>::new(1);
        let (lent, left) = lend(body);
        drop(lent);
        let started = Instant::now();
        left.discard().await;
        assert!(started.elapsed() <= limits::LINGER);
    }

    #[tokio::test]
    async fn a_body_that_was_read_is_whole() {
        let (lent, left) = lend(Full::new(Bytes::from_static(b"whole")));
        assert_eq!(lent.collect().await.unwrap().to_bytes(), "whole");
        left.discard().await;
    }
}
