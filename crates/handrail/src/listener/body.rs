//! A request body with deadlines, [`limits::STALL`] between two parts and [`limits::BODY`] for the
//! whole, whose bytes need room. While the peer is waited for, its place is another's.

use super::room::{NoRoom, Work};
use crate::limits;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::time::{Instant, Sleep, sleep_until};

/// Why a body ended early.
#[derive(Debug)]
pub(crate) enum BodyError<E> {
    /// The peer was too slow.
    Slow,
    /// There was no room for it.
    Busy,
    /// The connection failed.
    Broken(E),
}

impl<E> fmt::Display for BodyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slow => "the request body came too slowly",
            Self::Busy => "the server has no room for the request body at the moment",
            Self::Broken(_) => "the connection ended within the request body",
        })
    }
}

impl<E> From<BodyError<E>> for rest::wire::BodyEnd {
    fn from(error: BodyError<E>) -> Self {
        match error {
            BodyError::Slow => Self::Slow,
            BodyError::Busy => Self::Busy,
            BodyError::Broken(_) => Self::Broken,
        }
    }
}

impl<E: Error + 'static> Error for BodyError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Slow | Self::Busy => None,
            Self::Broken(why) => Some(why),
        }
    }
}

/// A body with deadlines. They run only while someone waits for it.
pub(crate) struct TimedBody<B> {
    body: B,
    work: Arc<Work>,
    ends: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B> TimedBody<B> {
    /// Wraps a body of this request.
    pub(crate) fn new(body: B, work: Arc<Work>) -> Self {
        Self { body, work, ends: None, timer: None }
    }
}

impl<B> Body for TimedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = BodyError<B::Error>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(frame) = frame {
            self.timer = None;
            let Some(frame) = frame else { return Poll::Ready(None) };
            let bytes = frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len);
            return Poll::Ready(Some(match self.work.came(bytes) {
                Ok(()) => frame.map_err(BodyError::Broken),
                Err(NoRoom) => Err(BodyError::Busy),
            }));
        }
        self.work.pause();
        let ends = *self.ends.get_or_insert_with(|| Instant::now() + limits::BODY);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(ends.min(Instant::now() + limits::STALL))));
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(BodyError::Slow))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    //! A21: a body that trickles ends at its deadline, however lively it looks.

    use super::*;
    use crate::listener::{room::Room, seat::Seat};
    use http_body_util::{BodyExt, channel::Channel};
    use std::convert::Infallible;
    use tokio::time::sleep;

    fn work() -> Arc<Work> {
        let seat = Seat::new("192.0.2.1".parse().unwrap(), Instant::now());
        Arc::new(Work::new(Arc::new(Room::new(1)), Arc::new(seat)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_body_ends() {
        let (_sender, body) = Channel::<Bytes, Infallible>::new(1);
        let ended = TimedBody::new(body, work()).collect().await;
        assert!(matches!(ended, Err(BodyError::Slow)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickling_body_ends_at_its_deadline() {
        let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
        tokio::spawn(async move {
            while sender.send_data(Bytes::from_static(b"x")).await.is_ok() {
                sleep(limits::STALL / 2).await;
            }
        });
        let started = Instant::now();
        let ended = TimedBody::new(body, work()).collect().await;
        assert!(matches!(ended, Err(BodyError::Slow)));
        assert!(started.elapsed() <= limits::BODY + limits::STALL);
    }

    #[tokio::test]
    async fn a_whole_body_passes() {
        let body = http_body_util::Full::new(Bytes::from_static(b"whole"));
        assert_eq!(TimedBody::new(body, work()).collect().await.unwrap().to_bytes(), "whole");
    }
}
