//! What one person's app was answered, and what it does next. An answer that came is acknowledged: the server is held
//! to it for ever. What was under way when the server was killed may have happened or not.

use live::{
    seeded::Seeded,
    visitor::{App, Visitor},
};
use std::{io, time::Instant};

/// Live families above which one is ended rather than another begun.
const LIVE_MANY: usize = 8;

/// Refresh tokens of a family above which it is ended: the server lets one family have so many live access tokens.
const TOKENS_MANY: usize = 30;

/// A code that was given and not yet redeemed.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) text: String,
    pub(crate) given: Instant,
}

/// What came of one code: its refresh tokens, oldest first, and its access tokens.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    pub(crate) code: String,
    pub(crate) refresh: Vec<String>,
    pub(crate) access: Vec<(String, Instant)>,
    /// Access tokens that were given back alone.
    pub(crate) given_back: Vec<(String, Instant)>,
    pub(crate) ended: bool,
}

/// What was under way.
#[derive(Debug, Clone)]
pub(crate) enum Doing {
    /// A code is redeemed.
    Redeem(String),
    /// The last refresh token of a family is used.
    Refresh(usize, Instant),
    /// A family is ended: by its app, or by an old token or code that came again.
    End(usize),
    /// The last access token of a family is given back.
    GiveBack(usize),
    /// All of the person's families are ended.
    EndAll,
}

/// One person, their app, and what it knows.
pub(crate) struct Book {
    pub(crate) number: usize,
    pub(crate) visitor: Visitor,
    pub(crate) app: App,
    pub(crate) patient: String,
    pub(crate) codes: Vec<Code>,
    /// Codes whose redeeming was under way at a kill and turned out to have happened: nobody has their tokens.
    pub(crate) lost_codes: Vec<String>,
    pub(crate) families: Vec<Family>,
    pub(crate) doing: Option<Doing>,
    /// Request ids of answers with tokens, since the last check.
    pub(crate) answered: Vec<String>,
}

/// The server did what it must not, or the connection broke.
pub(crate) fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::other(what.into())
}

impl Book {
    pub(crate) fn live(&self) -> Vec<usize> {
        (0..self.families.len()).filter(|at| self.families.get(*at).is_some_and(|family| !family.ended)).collect()
    }

    pub(crate) fn family(&mut self, at: usize) -> io::Result<&mut Family> {
        self.families.get_mut(at).ok_or_else(|| wrong("no such family"))
    }

    pub(crate) fn last_refresh(&mut self, at: usize) -> io::Result<String> {
        self.family(at)?.refresh.last().cloned().ok_or_else(|| wrong("a family without a refresh token"))
    }

    /// Redeems a code: a new family, or `false` when the server refuses.
    pub(crate) async fn redeem(&mut self, code: &str) -> io::Result<bool> {
        let page = self.visitor.try_redeem(&self.app, code).await?;
        if page.status == 400 {
            return Ok(false);
        }
        let (access, refresh) = tokens(page.status, &page.json())?;
        self.answered.push(page.request_id);
        self.families.push(Family {
            code: code.to_owned(),
            refresh: vec![refresh],
            access: vec![(access, Instant::now())],
            given_back: Vec::new(),
            ended: false,
        });
        Ok(true)
    }

    /// Uses the last refresh token of a family; `false` when the server refuses.
    pub(crate) async fn refresh(&mut self, at: usize) -> io::Result<bool> {
        let token = self.last_refresh(at)?;
        let page = self.visitor.try_refresh(&self.app, &token).await?;
        if page.status == 400 {
            return Ok(false);
        }
        let (access, next) = tokens(page.status, &page.json())?;
        self.answered.push(page.request_id);
        let family = self.family(at)?;
        if family.refresh.contains(&next) {
            return Err(wrong("a refresh gave a token that was there before"));
        }
        family.refresh.push(next);
        family.access.push((access, Instant::now()));
        Ok(true)
    }

    /// A used code, or an old refresh token, comes again: it gets nothing, and ends its family.
    pub(crate) async fn replay(&mut self, at: usize, code: bool) -> io::Result<()> {
        let app = self.app.clone();
        let family = self.family(at)?;
        // The one just before the last has its grace; those before it have none.
        let old = family.refresh.len().checked_sub(3).and_then(|at| family.refresh.get(at)).cloned();
        let text = family.code.clone();
        let page = match old.filter(|_| !code) {
            Some(old) => self.visitor.try_refresh(&app, &old).await?,
            None => self.visitor.try_redeem(&app, &text).await?,
        };
        if page.status != 400 {
            return Err(wrong(format!("A SECOND USE GAVE SOMETHING: {}", page.status)));
        }
        self.family(at)?.ended = true;
        Ok(())
    }

    /// One thing, by chance. What is under way stands in `doing` until it is answered.
    pub(crate) async fn step(&mut self, chance: &mut Seeded) -> io::Result<()> {
        let live = self.live();
        let one = live.get(chance.below(live.len())).copied();
        let is_full = live.len() > LIVE_MANY;
        let dice = if is_full { 72 + chance.below(28) } else { chance.below(100) };
        let long = match one {
            Some(at) => self.family(at)?.refresh.len() > TOKENS_MANY,
            None => false,
        };
        match (dice, one) {
            (0..25, _) | (_, None) if self.codes.len() < 4 => {
                let text = self.visitor.code(&self.app, true).await?;
                self.codes.push(Code { text, given: Instant::now() });
            }
            (0..50, _) | (_, None) => {
                let Some(code) = self.codes.pop() else { return Ok(()) };
                if code.given.elapsed().as_secs() > super::check::CODE_SAFE_S {
                    return Ok(());
                }
                self.doing = Some(Doing::Redeem(code.text.clone()));
                if !self.redeem(&code.text).await? {
                    return Err(wrong("A CODE THAT WAS GIVEN IS LOST"));
                }
            }
            (50..72, Some(at)) if !long => {
                self.doing = Some(Doing::Refresh(at, Instant::now()));
                if !self.refresh(at).await? {
                    return Err(wrong("A REFRESH TOKEN THAT WAS GIVEN IS LOST"));
                }
            }
            (72..80, Some(at)) | (50..72, Some(at)) => {
                let token = self.last_refresh(at)?;
                self.doing = Some(Doing::End(at));
                self.visitor.revoke(&self.app, &token).await?;
                self.family(at)?.ended = true;
            }
            (80..82, Some(_)) => {
                self.doing = Some(Doing::EndAll);
                if !self.visitor.end_at_my_apps().await? {
                    return Err(wrong("MY APPS LACKS AN APP THAT WAS LET IN"));
                }
                self.families.iter_mut().for_each(|family| family.ended = true);
            }
            (82..86, Some(at)) => {
                let app = self.app.clone();
                let Some((token, given)) = self.family(at)?.access.last().cloned() else { return Ok(()) };
                self.doing = Some(Doing::GiveBack(at));
                self.visitor.revoke(&app, &token).await?;
                let family = self.family(at)?;
                family.access.pop();
                family.given_back.push((token, given));
            }
            (86..92, Some(at)) => self.introspect(at, chance).await?,
            (dice, Some(at)) => {
                self.doing = Some(Doing::End(at));
                self.replay(at, dice.is_multiple_of(2)).await?;
            }
        }
        self.doing = None;
        Ok(())
    }

    /// With a live token of this family: any other of the app's.
    pub(crate) async fn introspect(&mut self, at: usize, chance: &mut Seeded) -> io::Result<()> {
        let Some((shown, given)) = self.family(at)?.access.last().cloned() else { return Ok(()) };
        let asked = chance.below(self.families.len());
        let family = self.family(asked)?;
        let ended = family.ended;
        let Some((token, since)) = family.access.last().cloned() else { return Ok(()) };
        if [given, since].iter().any(|given| given.elapsed().as_secs() > super::check::ACCESS_SAFE_S) {
            return Ok(());
        }
        if self.visitor.is_active(&shown, &token).await? == ended {
            return Err(wrong(format!("INTROSPECTION SAYS THE OPPOSITE: ended {ended}")));
        }
        Ok(())
    }
}

fn tokens(status: u16, body: &serde_json::Value) -> io::Result<(String, String)> {
    let text = |name: &str| body.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    match (status, text("access_token"), text("refresh_token")) {
        (200, Some(access), Some(refresh)) => Ok((access, refresh)),
        _ => Err(wrong(format!("the token endpoint: {status}"))),
    }
}
