//! After a kill: what was answered holds, what was under way happened or did not, and nothing works that must not.

use crate::book::{Book, Doing, wrong};
use live::{seeded::Seeded, trail::Trail};
use std::{io, time::Instant};

/// Age in seconds up to which a code that was given must work: it lives 60 s.
pub(crate) const CODE_SAFE_S: u64 = 45;

/// As [`CODE_SAFE_S`] for an access token, which lives 300 s.
pub(crate) const ACCESS_SAFE_S: u64 = 240;

/// As [`CODE_SAFE_S`] for the grace of a refresh token, which is 60 s.
const GRACE_SAFE_S: u64 = 45;

/// Of so many live families one is given up, to see that an old token or code ends it.
const GIVEN_UP_EVERY: usize = 8;

/// Ended families that are asked for after each kill; at the last one all are.
const ENDED_ASKED: usize = 12;

/// What was held against the server.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Held {
    /// Requests under way at a kill, and those of them that had happened.
    pub(crate) under_way: usize,
    pub(crate) happened: usize,
    /// Codes and refresh tokens that had to work, and did.
    pub(crate) worked: usize,
    /// Codes and refresh tokens that must not work, and did not.
    pub(crate) refused: usize,
    /// Access tokens of both kinds.
    pub(crate) access_worked: usize,
    pub(crate) access_refused: usize,
    /// Answers with tokens that have their audit entries.
    pub(crate) audited: usize,
}

impl Held {
    pub(crate) fn add(&mut self, other: Self) {
        self.under_way += other.under_way;
        self.happened += other.happened;
        self.worked += other.worked;
        self.refused += other.refused;
        self.access_worked += other.access_worked;
        self.access_refused += other.access_refused;
        self.audited += other.audited;
    }
}

/// All of one book. `all`: every family that ended, not some.
pub(crate) async fn check(book: &mut Book, trail: &Trail, chance: &mut Seeded, all: bool) -> io::Result<Held> {
    let mut held = Held::default();
    let answered = std::mem::take(&mut book.answered);
    if let Some(doing) = book.doing.take() {
        held.under_way += 1;
        settle(book, doing, &mut held).await?;
    }
    for code in std::mem::take(&mut book.codes) {
        if code.given.elapsed().as_secs() > CODE_SAFE_S || chance.below(2) == 0 {
            book.codes.push(code);
        } else if book.redeem(&code.text).await? {
            held.worked += 1;
        } else {
            return Err(wrong("A CODE THAT WAS GIVEN IS LOST"));
        }
    }
    for code in book.lost_codes.clone() {
        nothing(book, Used::Code(&code), &mut held).await?;
    }
    for at in book.live() {
        live(book, at, chance, &mut held).await?;
    }
    let ended: Vec<usize> =
        (0..book.families.len()).filter(|at| book.families.get(*at).is_some_and(|family| family.ended)).collect();
    let asked = if all { ended.len() } else { ENDED_ASKED.min(ended.len()) };
    let from = chance.below(ended.len());
    for at in ended.iter().cycle().skip(if all { 0 } else { from }).take(asked) {
        over(book, *at, &mut held).await?;
    }
    for name in answered {
        if trail.of(&name).success == 0 {
            return Err(wrong(format!("{name} was answered and has no entry in the audit log")));
        }
        held.audited += 1;
    }
    Ok(held)
}

/// What was under way: it had happened or not, in all that it does.
async fn settle(book: &mut Book, doing: Doing, held: &mut Held) -> io::Result<()> {
    match doing {
        Doing::Redeem(code) => {
            if !book.redeem(&code).await? {
                held.happened += 1;
                book.lost_codes.push(code);
            }
        }
        Doing::Refresh(at, since) => {
            // Had it happened, the same token is good for the same successor; had it not, for its first one.
            if since.elapsed().as_secs() > GRACE_SAFE_S {
                book.families.remove(at);
            } else if book.refresh(at).await? {
                held.worked += 1;
            } else {
                return Err(wrong("A REFRESH TOKEN WAS LOST WITH THE ANSWER TO IT"));
            }
        }
        Doing::End(at) => ended_or_not(book, at, held).await?,
        Doing::EndAll => {
            for at in book.live() {
                ended_or_not(book, at, held).await?;
            }
        }
        Doing::GiveBack(at) => {
            let Some((token, given)) = book.family(at)?.access.pop() else { return Ok(()) };
            let status = book.visitor.read(&book.patient, &token).await?.status;
            let works = status == 200;
            if !works && status != 401 {
                return Err(wrong(format!("a token that was being given back: {status}")));
            }
            held.happened += usize::from(!works);
            let family = book.family(at)?;
            if works { family.access.push((token, given)) } else { family.given_back.push((token, given)) }
        }
    }
    Ok(())
}

async fn ended_or_not(book: &mut Book, at: usize, held: &mut Held) -> io::Result<()> {
    if book.refresh(at).await? {
        return Ok(());
    }
    held.happened += 1;
    book.family(at)?.ended = true;
    over(book, at, held).await
}

/// A family that nobody ended: its tokens work, the successor is the successor.
async fn live(book: &mut Book, at: usize, chance: &mut Seeded, held: &mut Held) -> io::Result<()> {
    let family = book.family(at)?.clone();
    for (token, given) in family.access.iter().rev().take(4) {
        if given.elapsed().as_secs() > ACCESS_SAFE_S {
            continue;
        }
        let status = book.visitor.read(&book.patient, token).await?.status;
        if status != 200 {
            return Err(wrong(format!("AN ACCESS TOKEN THAT WAS GIVEN IS LOST: {status}")));
        }
        held.access_worked += 1;
    }
    refused(book, &family.given_back, held).await?;
    if chance.below(2) == 0 {
        let before = book.last_refresh(at)?;
        let begin = Instant::now();
        if !book.refresh(at).await? {
            return Err(wrong("A REFRESH TOKEN THAT WAS GIVEN IS LOST"));
        }
        held.worked += 1;
        // Within the grace it is good for the same successor, and for no other.
        let again = book.visitor.try_refresh(&book.app, &before).await?;
        let next = again.json().get("refresh_token").and_then(|token| token.as_str()).map(str::to_owned);
        let is_same = next == Some(book.last_refresh(at)?);
        if begin.elapsed().as_secs() < GRACE_SAFE_S && !(again.status == 200 && is_same) {
            return Err(wrong(format!("within the grace: {}, the same successor: {is_same}", again.status)));
        }
    }
    book.introspect(at, chance).await?;
    if chance.below(GIVEN_UP_EVERY) == 0 {
        book.replay(at, chance.below(2) == 0).await?;
        over(book, at, held).await?;
    }
    Ok(())
}

/// A family that ended: nothing of it works.
async fn over(book: &mut Book, at: usize, held: &mut Held) -> io::Result<()> {
    let family = book.family(at)?.clone();
    for token in family.refresh.iter().rev().take(3).chain(family.refresh.first()) {
        nothing(book, Used::Refresh(token), held).await?;
    }
    nothing(book, Used::Code(&family.code), held).await?;
    refused(book, &family.access, held).await?;
    refused(book, &family.given_back, held).await
}

enum Used<'a> {
    Code(&'a str),
    Refresh(&'a str),
}

async fn nothing(book: &mut Book, used: Used<'_>, held: &mut Held) -> io::Result<()> {
    let page = match used {
        Used::Code(code) => book.visitor.try_redeem(&book.app, code).await?,
        Used::Refresh(token) => book.visitor.try_refresh(&book.app, token).await?,
    };
    let what = if matches!(used, Used::Code(_)) { "A CODE WORKED TWICE" } else { "WHAT HAD ENDED CAME BACK" };
    if page.status != 400 || page.json().get("access_token").is_some() {
        return Err(wrong(format!("{what}: {}", page.status)));
    }
    held.refused += 1;
    Ok(())
}

/// The latest of these access tokens work no more.
async fn refused(book: &mut Book, tokens: &[(String, Instant)], held: &mut Held) -> io::Result<()> {
    for (token, _) in tokens.iter().rev().take(3) {
        let status = book.visitor.read(&book.patient, token).await?.status;
        if status != 401 {
            return Err(wrong(format!("AN ACCESS TOKEN THAT HAD ENDED CAME BACK: {status}")));
        }
        held.access_refused += 1;
    }
    Ok(())
}
