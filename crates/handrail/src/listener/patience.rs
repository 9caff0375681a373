//! A socket with patience: a peer that takes none of our bytes, or an HTTP/2 peer that never
//! finishes its preface, is cut after [`limits::STALL`]. hyper bounds HTTP/1.1 heads itself, and
//! HTTP/2 pings bound a peer once the preface is through.

use crate::limits;
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// Bytes of the HTTP/2 client preface. SPEC: RFC 9113 section 3.4.
const PREFACE_BYTES: usize = 24;

/// Wraps a socket.
pub(crate) struct Patience<S> {
    socket: S,
    /// Runs while the preface is not through.
    preface: Option<Pin<Box<Sleep>>>,
    preface_bytes: usize,
    /// Runs while a write waits.
    write: Option<Pin<Box<Sleep>>>,
}

impl<S> Patience<S> {
    /// `http_2`: whether to wait for a preface.
    pub(crate) fn new(socket: S, http_2: bool) -> Self {
        let preface = http_2.then(|| Box::pin(sleep(limits::STALL)));
        Self { socket, preface, preface_bytes: 0, write: None }
    }

    fn waited<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write = None;
            return written;
        }
        let timer = self.write.get_or_insert_with(|| Box::pin(sleep(limits::STALL)));
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(cx, buf);
        if let Some(timer) = &mut self.preface {
            let late = timer.as_mut().poll(cx).is_ready();
            self.preface_bytes += buf.filled().len().saturating_sub(before);
            if self.preface_bytes >= PREFACE_BYTES {
                self.preface = None;
            } else if late {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.waited(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, parts);
        self.waited(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.socket).poll_flush(cx);
        self.waited(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.socket).poll_shutdown(cx);
        self.waited(cx, closed)
    }
}

#[cfg(test)]
mod tests {
    //! A21: peers that stall are cut; time is the paused clock's.

    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_cut() {
        let (ours, _theirs) = duplex(16);
        let mut socket = Patience::new(ours, false);
        let ended = socket.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_preface_is_cut_and_a_whole_one_is_not() {
        let (ours, mut theirs) = duplex(64);
        let mut socket = Patience::new(ours, true);
        theirs.write_all(&[b'P'; 23]).await.unwrap();
        let mut bytes = [0; 24];
        let ended = socket.read_exact(&mut bytes).await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);

        let (ours, mut theirs) = duplex(64);
        let mut socket = Patience::new(ours, true);
        theirs.write_all(&[b'P'; 24]).await.unwrap();
        socket.read_exact(&mut bytes).await.unwrap();
        let later = tokio::time::timeout(limits::STALL * 2, socket.read_exact(&mut bytes)).await;
        assert!(later.is_err(), "still open: pings are what bounds it now");
    }
}
