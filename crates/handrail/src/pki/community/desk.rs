//! What a community publishes over plain http: its certificates, lists and answers. SPEC: RFC 5280 sections 4.2.1.13 and
//! 4.2.2.1; RFC 6960 appendix A; row D7.
//!
//! | path | what |
//! |---|---|
//! | `/root.crl` | the root's list: of the intermediate |
//! | `/ca.crl` | the intermediate's list: of members |
//! | `/ca-delta.crl` | what was revoked since the oldest list that still counts |
//! | `/ocsp` | answers, POSTed or GET |
//! | `/root.cer`, `/ca.cer` | both certificates |
//!
//! Plain http is right here: everything is signed and for everybody. A list is made anew when the register changes and
//! when half its life is over, so none that has ended is ever given out.

use super::{
    By, Register,
    signers::{Edition, Signers},
};
use crate::{
    clock, limits,
    outcome::{self, Published},
    pki::PkiError,
    plain_http::{self, Bounds},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use fhir::Instant;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use oauth::{
    limits::OCSP_REQUEST_BYTES_MAX,
    ocsp_responder::{Failed, Question},
};
use std::{
    collections::VecDeque,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};
use tokio::{net::TcpListener, time::timeout};

/// Who publishes for a community. It does not hold the folder: commands go on changing it.
pub(crate) struct Desk {
    folder: PathBuf,
    signers: Signers,
    state: Mutex<Option<State>>,
}

/// Which register file was read.
type Stamp = (u64, u64, Option<SystemTime>);

/// What is published at a moment.
struct State {
    stamp: Stamp,
    register: Register,
    edition: Edition,
    /// Complete lists that may still be in somebody's hands, oldest first; the last is the current one.
    editions: VecDeque<Edition>,
    root: Bytes,
    intermediate: Bytes,
    delta: Bytes,
}

impl Desk {
    /// Of the community in this folder.
    ///
    /// # Errors
    /// [`PkiError`].
    pub(crate) fn open(folder: &Path) -> Result<Self, PkiError> {
        if !folder.join("root.pem").exists() {
            return Err(PkiError::Missing(folder.to_owned()));
        }
        let desk = Self { folder: folder.to_owned(), signers: Signers::read(folder)?, state: Mutex::new(None) };
        desk.with(clock::now(), |_| ())?;
        Ok(desk)
    }

    /// What to do with the state, which is brought up to date first.
    fn with<T>(&self, now: Instant, see: impl FnOnce(&State) -> T) -> Result<T, PkiError> {
        let path = self.folder.join("register.json");
        let found = std::fs::metadata(&path).map_err(|why| PkiError::File(path, why))?;
        let stamp = (found.ino(), found.len(), found.modified().ok());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now_s = now.unix_seconds();
        let is_current = state.as_ref().is_some_and(|state| {
            let Edition { this_s, until_s, .. } = state.edition;
            state.stamp == stamp && now_s >= this_s && now_s - this_s <= (until_s - this_s) / 2
        });
        if !is_current {
            let editions = state.take().map(|state| state.editions).unwrap_or_default();
            *state = Some(self.made(stamp, editions, now)?);
        }
        match state.as_ref() {
            Some(state) => Ok(see(state)),
            None => Err(PkiError::Missing(self.folder.clone())),
        }
    }

    fn made(&self, stamp: Stamp, mut editions: VecDeque<Edition>, now: Instant) -> Result<State, PkiError> {
        let register = Register::read(&self.folder)?;
        let this_s = now.unix_seconds();
        let last = editions.back().map_or(0, |edition| edition.number);
        // Numbers grow over restarts too, without being kept: no two lists are made within a millisecond.
        let number = u64::try_from(now.unix_millis()).unwrap_or_default().max(last + 1);
        let edition = Edition { number, this_s, until_s: this_s + i64::from(register.list_s) };
        editions.retain(|edition| edition.until_s > this_s && edition.this_s <= this_s);
        editions.push_back(edition);
        let list = |by, base| self.signers.list(by, &register, edition, base).map(Bytes::from);
        let (root, intermediate) = (list(By::Root, None)?, list(By::Intermediate, None)?);
        let delta = list(By::Intermediate, editions.front().copied())?;
        Ok(State { stamp, edition, editions, root, intermediate, delta, register })
    }

    /// Answers a request.
    fn publish(&self, method: &Method, path: &str, body: &[u8], now: Instant) -> Published {
        let asked = match (method, path) {
            (&Method::POST, "/ocsp") => Some(Question::read(body)),
            (&Method::GET, path) => path.strip_prefix("/ocsp/").map(|text| {
                let text = percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
                STANDARD.decode(text).map_err(|_| oauth::der::Malformed).and_then(|der| Question::read(&der))
            }),
            _ => None,
        };
        if let Some(asked) = asked {
            return self.answer(asked, now);
        }
        let is_get = matches!(*method, Method::GET | Method::HEAD);
        let list = |pick: fn(&State) -> &Bytes| {
            let left = |state: &State| {
                let left_s = state.edition.until_s - now.unix_seconds();
                Published::List(pick(state).clone(), u64::try_from(left_s).unwrap_or_default())
            };
            self.with(now, left).unwrap_or_else(|why| failed(&why))
        };
        match path {
            "/root.crl" | "/ca.crl" | "/ca-delta.crl" | "/root.cer" | "/ca.cer" | "/" if !is_get => Published::Method,
            "/root.crl" => list(|state| &state.root),
            "/ca.crl" => list(|state| &state.intermediate),
            "/ca-delta.crl" => list(|state| &state.delta),
            "/root.cer" => Published::Certificate(self.signers.root.der.clone().into()),
            "/ca.cer" => Published::Certificate(self.signers.intermediate.der.clone().into()),
            _ => Published::Elsewhere,
        }
    }

    fn answer(&self, asked: Result<Question, oauth::der::Malformed>, now: Instant) -> Published {
        let Ok(question) = asked else {
            return Published::Answer(Failed::MalformedRequest.to_der().into(), None);
        };
        let told = self.with(now, |state| {
            let answer = self.signers.answer(&question, &state.register, now.unix_seconds());
            // What repeats somebody's nonce is for them alone.
            let life = question.nonce.is_none().then_some(u64::from(state.register.answer_s));
            Published::Answer(answer.into(), life)
        });
        told.unwrap_or_else(|why| {
            tracing::error!(%why, "no answer could be given");
            Published::Answer(Failed::InternalError.to_der().into(), None)
        })
    }
}

fn failed(why: &PkiError) -> Published {
    tracing::error!(%why, "a revocation list could not be made");
    Published::Failed
}

/// Serves until the task is aborted.
pub(crate) async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let bounds = Bounds { connections: limits::PKI_CONNECTIONS_MAX, life: limits::PKI_CONNECTION_LIFE };
    plain_http::serve(listener, bounds, move |request| exchange(request, Arc::clone(&desk))).await;
}

async fn exchange(request: Request<Incoming>, desk: Arc<Desk>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let read = timeout(limits::FORM, Limited::new(body, OCSP_REQUEST_BYTES_MAX).collect()).await;
    let published = match read {
        Ok(Ok(body)) => {
            let body = body.to_bytes();
            let path = head.uri.path().to_owned();
            let work = move || desk.publish(&head.method, &path, &body, clock::now());
            tokio::task::spawn_blocking(work).await.unwrap_or(Published::Failed)
        }
        _ => Published::Unread,
    };
    outcome::published(published)
}

#[cfg(test)]
pub(super) mod tests;
