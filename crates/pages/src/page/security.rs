//! Security of one's own account: passkeys, password, authenticator, recovery codes, devices. SPEC: row B26.

use super::{
    invitation::{NewPasswordProblem, Troubles, new_password},
    second_factor::{CodeProblem, CodeWay},
};
use crate::{
    Date, Literal, Moment, Place, Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    parts::{self, Field, Tone, actions, deciding, fill, fill_plain, hint, primary, primary_link, secondary},
    paths, qr,
    render::{Context, Render},
    texts::Texts,
};

/// The page of all of it.
#[derive(Clone, Debug)]
pub struct Security {
    /// Form token.
    pub csrf: Secret,
    /// Sign-in name.
    pub user: Text,
    /// Passkeys.
    pub passkeys: Vec<PasskeyFacts>,
    /// When the password was set; `None`: there is none.
    pub password_since: Option<Date>,
    /// When an authenticator app was set up; `None`: there is none.
    pub authenticator_since: Option<Date>,
    /// Outside providers that vouch for them.
    pub outside: Vec<OutsideFacts>,
    /// Recovery codes that are left.
    pub recovery_codes_left: u32,
    /// Where the person is signed in, this one first.
    pub sessions: Vec<SessionFacts>,
    /// What has just been done.
    pub notice: Option<SecurityNotice>,
}

/// A passkey.
#[derive(Clone, Debug)]
pub struct PasskeyFacts {
    /// Its id here.
    pub id: Literal,
    /// What its owner calls it.
    pub name: Text,
    /// When it was added.
    pub since: Date,
    /// When it last signed in.
    pub last_used: Option<Moment>,
}

/// An outside provider that vouches for somebody.
#[derive(Clone, Debug)]
pub struct OutsideFacts {
    /// What people call it.
    pub name: Text,
    /// Since when.
    pub since: Date,
}

/// A session.
#[derive(Clone, Debug)]
pub struct SessionFacts {
    /// Its id here; never the cookie.
    pub id: Literal,
    /// The device, as far as it can be told: `Chrome on Android`.
    pub device: Option<Text>,
    /// When it began.
    pub began: Moment,
    /// When it was last used.
    pub last_used: Moment,
    /// It is the one that looks at the page.
    pub is_this: bool,
}

/// What has just been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityNotice {
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
    /// The password was changed.
    PasswordChanged,
    /// An authenticator app was set up.
    AuthenticatorAdded,
    /// The authenticator app was removed.
    AuthenticatorRemoved,
    /// One session or all others were ended.
    SessionsEnded,
    /// It was the last way in, so it stays.
    LastWayIn,
}

/// The form for a new password.
#[derive(Clone, Debug)]
pub struct ChangePassword {
    /// Form token.
    pub csrf: Secret,
    /// Sign-in name, for the browser's password keeper.
    pub user: Text,
    /// Asks for the current password: there is one, and the session is not fresh.
    pub needs_current: bool,
    /// Fewest characters of a password.
    pub password_characters_min: u32,
    /// What was wrong.
    pub problem: Option<NewPasswordProblem>,
}

/// Setting up an authenticator app.
#[derive(Clone, Debug)]
pub struct AuthenticatorSetup {
    /// Form token.
    pub csrf: Secret,
    /// `otpauth://totp/…`, shown as a picture to scan and a link to press.
    pub uri: Secret,
    /// The key in base32, to type by hand.
    pub key: Secret,
    /// What was wrong.
    pub problem: Option<CodeProblem>,
}

/// Recovery codes, shown once.
#[derive(Clone, Debug)]
pub struct RecoveryCodes {
    /// The codes.
    pub codes: Vec<Secret>,
    /// What comes after; `None`: the security page.
    pub continuation: Option<Secret>,
}

/// A list entry: words at the left, what can be done with it at the right.
fn entry(name: impl Into<Fragment>, lines: Vec<String>, act: impl Into<Fragment>) -> Element {
    let lines = lines.into_iter().map(|line| el("span").class("line").add(line));
    let words = el("div").class("label").add(el("span").class("name").add(name)).add(Fragment::all(lines));
    el("li").class("entry").add(words).add(act)
}

fn link(path: &'static str, text: &str) -> Element {
    el("a").class("button secondary").href(&Address::of(path)).add(text)
}

impl Security {
    fn notice(&self, t: &Texts) -> Option<Element> {
        let (tone, words) = match self.notice? {
            SecurityNotice::PasskeyAdded => (Tone::Good, t.notice_passkey_added),
            SecurityNotice::PasskeyRemoved => (Tone::Good, t.notice_passkey_removed),
            SecurityNotice::PasswordChanged => (Tone::Good, t.notice_password),
            SecurityNotice::AuthenticatorAdded => (Tone::Good, t.notice_authenticator_added),
            SecurityNotice::AuthenticatorRemoved => (Tone::Good, t.notice_authenticator_removed),
            SecurityNotice::SessionsEnded => (Tone::Good, t.notice_sessions),
            SecurityNotice::LastWayIn => (Tone::Trouble, t.notice_last_way),
        };
        Some(parts::notice(tone, el("p").add(words), t))
    }

    fn passkeys(&self, t: &Texts) -> Element {
        let rows = self.passkeys.iter().map(|passkey| {
            let mut lines = vec![fill_plain(t.passkey_added_on, &[("date", &t.date(passkey.since))])];
            if let Some(used) = passkey.last_used {
                lines.push(fill_plain(t.passkey_last_used, &[("moment", &t.moment(used))]));
            }
            let label = fill_plain(t.passkey_remove, &[("name", passkey.name.as_str())]);
            let remove = parts::form(paths::PASSKEY_REMOVE, &self.csrf)
                .add(parts::hidden(fields::PASSKEY, passkey.id.as_str()))
                .add(secondary(t.remove).attr("aria-label", &label));
            entry(&passkey.name, lines, remove)
        });
        let list = if self.passkeys.is_empty() {
            el("p").add(t.passkeys_none)
        } else {
            el("ul").class("entries").add(Fragment::all(rows))
        };
        let add = link(paths::PASSKEY_ADD, t.passkey_title);
        parts::section("passkeys", t.passkeys).class("part").add(list).add(actions(add))
    }

    fn password(&self, t: &Texts) -> Element {
        let (words, act) = match self.password_since {
            Some(date) => (fill_plain(t.password_set, &[("date", &t.date(date))]), t.password_change),
            None => (t.password_none.to_owned(), t.password_make),
        };
        let section = parts::section("password", t.password).class("part");
        section.add(el("p").add(words)).add(actions(link(paths::PASSWORD, act)))
    }

    fn authenticator(&self, t: &Texts) -> Element {
        let section = parts::section("authenticator", t.authenticator).class("part");
        match self.authenticator_since {
            Some(date) => {
                let words = fill_plain(t.authenticator_set, &[("date", &t.date(date))]);
                let label = fill_plain(t.passkey_remove, &[("name", t.authenticator)]);
                let remove = deciding(secondary(t.remove), fields::REMOVE).attr("aria-label", &label);
                let form = parts::form(paths::AUTHENTICATOR, &self.csrf).add(actions(remove));
                section.add(el("p").add(words)).add(form)
            }
            None => {
                let add = link(paths::AUTHENTICATOR, t.authenticator_add);
                section.add(el("p").add(t.authenticator_none)).add(actions(add))
            }
        }
    }

    fn outside(&self, cx: Context<'_>) -> Option<Element> {
        let t = cx.t;
        let rows = self.outside.iter().map(|outside| {
            let lines = vec![fill_plain(t.outside_since, &[("date", &t.date(outside.since))])];
            entry(&outside.name, lines, None::<Element>)
        });
        let list = el("ul").class("entries").add(Fragment::all(rows));
        let end = hint(fill(t.outside_end, &[("facility", (&cx.frame.facility).into())]));
        let section = || parts::section("outside", t.outside).class("part");
        (!self.outside.is_empty()).then(|| section().add(list).add(end))
    }

    fn recovery_codes(&self, t: &Texts) -> Element {
        let words = match self.recovery_codes_left {
            0 => t.recovery_codes_none.to_owned(),
            1 => t.recovery_codes_one.to_owned(),
            count => fill_plain(t.recovery_codes_many, &[("count", &count.to_string())]),
        };
        let warning = (self.recovery_codes_left > 0).then(|| hint(t.recovery_codes_make_hint));
        let make = parts::form(paths::RECOVERY_CODES, &self.csrf).add(actions(secondary(t.recovery_codes_make)));
        let section = parts::section("recovery-codes", t.recovery_codes).class("part");
        section.add(el("p").add(words)).add(warning).add(make)
    }

    fn sessions(&self, t: &Texts) -> Element {
        let rows = self.sessions.iter().map(|session| {
            let device = session.device.as_ref().map_or(t.session_unknown, Text::as_str);
            let mut lines = vec![fill_plain(t.session_began, &[("moment", &t.moment(session.began))])];
            if session.is_this {
                return entry(format!("{device} ({})", t.session_this), lines, None::<Element>);
            }
            lines.push(fill_plain(t.session_last_used, &[("moment", &t.moment(session.last_used))]));
            let end = parts::form(paths::SESSION_END, &self.csrf)
                .add(parts::hidden(fields::SESSION, session.id.as_str()))
                .add(secondary(t.sign_out).attr("aria-label", &format!("{}: {device}", t.sign_out)));
            entry(device, lines, end)
        });
        let others = (self.sessions.len() > 1).then(|| {
            parts::form(paths::SESSION_END, &self.csrf)
                .add(parts::hidden(fields::SESSION, fields::OTHERS))
                .add(actions(secondary(t.sessions_end)))
        });
        let section = parts::section("sessions", t.sessions).class("part");
        section.add(el("ul").class("entries").add(Fragment::all(rows))).add(others)
    }
}

impl Render for Security {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.security_title.to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::SECURITY)
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Security)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        Fragment::all([
            parts::lead(fill(t.security_lead, &[("user", (&self.user).into())])).into(),
            Fragment::from(self.notice(t)),
            self.passkeys(t).into(),
            self.password(t).into(),
            self.authenticator(t).into(),
            self.outside(cx).into(),
            self.recovery_codes(t).into(),
            self.sessions(t).into(),
        ])
    }
}

impl Render for ChangePassword {
    fn title(&self, cx: Context<'_>) -> String {
        if self.needs_current { cx.t.change_password_title } else { cx.t.set_password_title }.to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::PASSWORD)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let troubles = Troubles::new(self.problem, self.password_characters_min, t.current_wrong, t);

        let current = self.needs_current.then(|| {
            let field = Field::password(fields::CURRENT, t.current_password, "current-password");
            field.problem(troubles.at(fields::CODE)).element(t)
        });
        let form = parts::form(paths::PASSWORD, &self.csrf)
            .add(parts::whose_password(&self.user))
            .add(current)
            .add(new_password(&troubles, self.password_characters_min, t))
            .add(actions(primary(t.save_password)));
        Fragment::all([
            parts::lead(t.change_password_lead).into(),
            Fragment::from(troubles.notice(t)),
            form.into(),
            back(t).into(),
        ])
    }
}

/// Back to the page of all of it.
fn back(t: &Texts) -> Element {
    el("p").add(el("a").class("quiet").href(&Address::of(paths::SECURITY)).add(t.go_back))
}

impl Render for AuthenticatorSetup {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.setup_title.to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::AUTHENTICATOR)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let problem = self.problem.map(|problem| problem.notice(CodeWay::Authenticator, t));
        let picture = qr::picture(self.uri.as_str(), t.setup_picture);
        let link = Address::authenticator(self.uri.as_str());
        let link = link.map(|address| el("p").add(el("a").class("quiet").href(&address).add(t.setup_on_phone)));
        let key = el("p").add(t.setup_by_hand).add(" ").add(el("code").class("key").add(grouped(self.key.as_str())));
        let form = parts::form(paths::AUTHENTICATOR, &self.csrf)
            .add(CodeWay::Authenticator.field(t).element(t))
            .add(actions(primary(t.go_on)));
        Fragment::all([
            Fragment::from(problem),
            parts::lead(t.setup_scan).into(),
            picture.into(),
            link.into(),
            key.into(),
            el("p").add(t.setup_code).into(),
            form.into(),
            back(t).into(),
        ])
    }
}

/// In groups of four, as a person reads it.
fn grouped(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

impl Render for RecoveryCodes {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.codes_title.to_owned()
    }

    /// The codes are shown once, so there is nothing to show again: the language switch leads to the security page.
    fn here(&self) -> Address {
        Address::of(paths::SECURITY)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let codes = self.codes.iter().map(|code| el("li").add(el("code").add(code)));
        let next = match &self.continuation {
            Some(handle) => Address::of(paths::SIGN_IN).with(fields::CONTINUATION, handle.as_str()),
            None => Address::of(paths::SECURITY),
        };
        Fragment::all([
            parts::lead(t.codes_lead),
            el("ul").class("codes").add(Fragment::all(codes)),
            actions(primary_link(&next, t.codes_kept)),
        ])
    }
}
