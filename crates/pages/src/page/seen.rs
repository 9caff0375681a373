//! Who saw my record: for the patient and for who cares for them. SPEC: rows F21, F50, H24; issue 7, item 7.
//!
//! A line for each day and each who; what left to others in the sense of the accounting of disclosures stands apart.

mod table;

use crate::{
    Date, Literal, Moment, Place, Text, fields,
    html::{Address, Element, Fragment, el},
    parts::{self, Tone, capital, fill, hint},
    paths,
    render::{Context, Render},
    texts::Texts,
    words,
};

/// The report of one record.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Whose record.
    pub patient: Literal,
    /// Their name; `None`: the reader's own record.
    pub name: Option<Text>,
    /// Other records that the reader may choose.
    pub others: Vec<(Literal, Text)>,
    /// Days, the latest first. Whole days.
    pub days: Vec<SeenDay>,
    /// There is more: the `until` of the next page.
    pub older: Option<Literal>,
    /// These are not the latest days.
    pub is_older: bool,
    /// A caregiver reads it: what was looked at is not told.
    pub without_detail: bool,
}

/// One day.
#[derive(Clone, Debug)]
pub struct SeenDay {
    /// Which.
    pub date: Date,
    /// Who was there.
    pub lines: Vec<SeenLine>,
}

/// What somebody did on a day.
#[derive(Clone, Debug)]
pub struct SeenLine {
    /// Who.
    pub who: SeenWho,
    /// Name of the app.
    pub app: Option<Text>,
    /// The organization.
    pub organization: Option<Text>,
    /// First and last time.
    pub times: (Moment, Moment),
    /// What: types of resources; `None`: the record.
    pub deeds: Vec<(SeenDeed, Vec<Option<Literal>>)>,
    /// Why: codes of v3-ActReason.
    pub why: Vec<Literal>,
    /// In an emergency, by breaking the glass.
    pub emergency: bool,
    /// It left to somebody outside, for a purpose that has to be accounted for.
    pub disclosed: bool,
    /// In a list with other people.
    pub in_list: bool,
    /// The resource of somebody whom a choice about sharing can name.
    pub party: Option<Literal>,
}

/// Who it was.
#[derive(Clone, Debug)]
pub enum SeenWho {
    /// The reader.
    You,
    /// Somebody by name, with their role.
    Person(Text, SeenRole),
    /// Somebody of this role.
    Role(SeenRole),
    /// A computer system, or an organization as a whole.
    System,
}

/// What somebody is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenRole {
    /// The patient.
    Patient,
    /// A family member or friend.
    Caregiver,
    /// A clinician.
    Clinician,
    /// Looks after privacy.
    PrivacyOfficer,
    /// Looks after the system.
    Administrator,
    /// Somebody of another organization.
    Outside,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SeenDeed {
    Looked,
    Added,
    Changed,
    Removed,
}

impl SeenRole {
    pub(crate) fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Patient => t.role_patient,
            Self::Caregiver => t.role_caregiver,
            Self::Clinician => t.role_clinician,
            Self::PrivacyOfficer => t.role_officer,
            Self::Administrator => t.role_administrator,
            Self::Outside => t.role_outside,
        }
    }
}

/// Why, in words.
pub(crate) fn why(code: &Literal, t: &Texts) -> String {
    match code.as_str() {
        "TREAT" | "CLINTRL" | "COC" | "POPHLTH" => t.why_care,
        "BTG" | "ETREAT" | "ERTREAT" => t.why_emergency,
        "HPAYMT" | "CLMATTCH" | "COVAUTH" | "COVERAGE" | "ELIGDTRM" | "ELIGVER" | "ENROLLM" | "MILDCRG"
        | "REMITADV" => t.why_payment,
        "PATRQT" => t.why_patient,
        "FAMRQT" | "PWATRNY" | "SUPNWK" => t.why_family,
        "HCOMPL" | "HLEGAL" | "HACCRED" | "GOV" | "FRAUD" => t.why_rules,
        "HRESCH" | "BIORCH" | "CLINTRCH" | "CLINTRCHNPC" | "CLINTRCHPC" | "PRECLINTRCH" | "DSRCH" | "POARCH"
        | "TRANSRCH" => t.why_research,
        "PUBHLTH" | "DISASTER" | "THREAT" => t.why_public,
        "HMARKT" => t.why_marketing,
        "HOPERAT" | "CAREMGT" | "DONAT" | "HDECD" | "HDIRECT" | "HDM" | "HOUTCOMS" | "HPRGRP" | "HQUALIMP"
        | "HSYSADMIN" | "LABELING" | "METAMGT" | "MEMADMIN" | "MILCDM" | "PATADMIN" | "PATSFTY" | "PERFMSR"
        | "RECORDMGT" | "SYSDEV" | "HTEST" | "TRAIN" => t.why_running,
        code => return crate::html::fill_plain(t.why_other, &[("code", code)]),
    }
    .to_owned()
}

impl SeenLine {
    fn who(&self, t: &Texts) -> Fragment {
        match &self.who {
            SeenWho::You => t.seen_you.into(),
            SeenWho::Person(name, role) => {
                fill(t.seen_person, &[("person", name.into()), ("role", role.words(t).into())])
            }
            SeenWho::Role(role) => capital(role.words(t)).into(),
            SeenWho::System => match (&self.organization, &self.app) {
                (Some(organization), _) => organization.into(),
                (None, Some(app)) => app.into(),
                (None, None) => t.seen_system.into(),
            },
        }
    }

    fn what(&self, t: &Texts) -> Vec<String> {
        let line = |(deed, kinds): &(SeenDeed, Vec<Option<Literal>>)| {
            let mut things: Vec<&str> = Vec::new();
            for kind in kinds {
                let thing = match kind {
                    None => t.seen_record,
                    Some(kind) => words::of_type(kind.as_str(), t).unwrap_or(t.seen_more),
                };
                if !things.contains(&thing) {
                    things.push(thing);
                }
            }
            let text = match deed {
                SeenDeed::Looked => t.seen_looked,
                SeenDeed::Added => t.seen_added,
                SeenDeed::Changed => t.seen_changed,
                SeenDeed::Removed => t.seen_removed,
            };
            crate::html::fill_plain(text, &[("what", &things.join("; "))])
        };
        self.deeds.iter().map(line).collect()
    }

    fn row(&self, date: Option<Date>, patient: &Literal, t: &Texts) -> Element {
        let mut row = el("li").add(el("strong").add(self.who(t)));
        if self.emergency {
            let mark = el("span").add(t.seen_emergency);
            row = row.add(el("p").class("problem").add(parts::icon(parts::TROUBLE)).add(mark));
        }
        let line = |text: Fragment| el("span").class("line").add(text);
        let list = self.in_list.then(|| line(t.seen_in_list.into()));
        for what in self.what(t) {
            row = row.add(line(what.into()));
        }
        row = row.add(list);
        let mut facts: Vec<Fragment> = Vec::new();
        let mut reasons: Vec<String> = Vec::new();
        for reason in self.why.iter().map(|code| why(code, t)) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        facts.extend(date.map(|date| Fragment::from(t.date(date))));
        let (first, last) = self.times;
        facts.push(if t.time(first) == t.time(last) {
            t.time(first).into()
        } else {
            crate::html::fill_plain(t.seen_between, &[("first", &t.time(first)), ("last", &t.time(last))]).into()
        });
        facts.extend(reasons.into_iter().map(Fragment::from));
        let is_named = |text: &Text| matches!(self.who, SeenWho::System) && self.organization.as_ref() == Some(text);
        let organization = self.organization.as_ref().filter(|organization| !is_named(organization));
        facts.extend(organization.map(|organization| fill(t.seen_of, &[("organization", organization.into())])));
        let is_app_named = matches!(self.who, SeenWho::System) && self.organization.is_none();
        let app = self.app.as_ref().filter(|_| !is_app_named);
        facts.extend(app.map(|app| fill(t.seen_with, &[("app", app.into())])));
        let stop = self.party.as_ref().map(|party| {
            let address = Address::of(paths::CHOICE_NEW)
                .with(fields::PATIENT, patient.as_str())
                .with(fields::WHO, party.as_str());
            el("p").add(el("a").class("quiet").href(&address).add(t.seen_stop))
        });
        row.add(parts::joined(facts)).add(stop)
    }
}

impl Render for Seen {
    fn title(&self, cx: Context<'_>) -> String {
        match self.name {
            None => cx.t.seen_title.to_owned(),
            Some(_) => cx.t.seen_title_other.to_owned(),
        }
    }

    fn heading(&self, cx: Context<'_>) -> Fragment {
        match &self.name {
            None => cx.t.seen_title.into(),
            Some(name) => fill(cx.t.seen_heading_other, &[("person", name.into())]),
        }
    }

    fn here(&self) -> Address {
        Address::of(paths::SEEN).with(fields::PATIENT, self.patient.as_str())
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Seen)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let others = self.others.iter().map(|(id, name)| {
            let address = Address::of(paths::SEEN).with(fields::PATIENT, id.as_str());
            let name = fill(t.seen_record_of, &[("person", name.into())]);
            let name = el("span").class("label").add(el("span").class("name").add(name));
            el("li").add(el("a").class("row").href(&address).add(name).add(parts::icon("M9 5l7 7-7 7")))
        });
        let others = (!self.others.is_empty()).then(|| {
            el("nav").attr("aria-label", t.seen_others).add(el("ul").class("rows").add(Fragment::all(others)))
        });
        let lead = if self.without_detail { t.seen_lead_caregiver } else { t.seen_lead };
        let lead = fill(lead, &[("facility", (&cx.frame.facility).into())]);
        if self.days.is_empty() {
            let none = if self.is_older { t.seen_none_older } else { t.seen_none };
            return Fragment::all([Fragment::from(parts::lead(none)), hint(t.seen_none_next).into(), others.into()]);
        }
        let lines = || self.days.iter().flat_map(|day| day.lines.iter().map(|line| (day.date, line)));
        let emergencies = lines().filter(|(_, line)| line.emergency).count();
        let emergency =
            (emergencies > 0).then(|| parts::notice(Tone::Attention, el("p").add(t.seen_emergency_lead), t));
        let days = self.days.iter().filter(|day| day.lines.iter().any(|line| !line.disclosed)).map(|day| {
            let rows = day.lines.iter().filter(|line| !line.disclosed).map(|line| line.row(None, &self.patient, t));
            let rows = el("ul").class("plain").add(Fragment::all(rows));
            el("section").class("part").add(el("h2").add(t.date(day.date))).add(rows)
        });
        let disclosed: Vec<Element> = lines()
            .filter(|(_, line)| line.disclosed)
            .map(|(date, line)| line.row(Some(date), &self.patient, t))
            .collect();
        let disclosed = (!disclosed.is_empty()).then(|| {
            let rows = el("ul").class("plain").add(Fragment::all(disclosed));
            parts::section("disclosed", t.seen_disclosed).class("part").add(hint(t.seen_disclosed_lead)).add(rows)
        });
        let of = |path: &'static str| Address::of(path).with(fields::PATIENT, self.patient.as_str());
        let older = self.older.as_ref().map(|until| {
            let address = of(paths::SEEN).with(fields::UNTIL, until.as_str());
            el("p").add(el("a").class("button secondary").href(&address).add(t.seen_older))
        });
        let latest =
            self.is_older.then(|| el("p").add(el("a").class("quiet").href(&of(paths::SEEN)).add(t.seen_latest)));
        let table = el("p").add(el("a").class("quiet").href(&of(paths::SEEN_TABLE)).add(t.seen_table));
        Fragment::all([
            parts::lead(lead).into(),
            Fragment::from(others),
            Fragment::from(emergency),
            disclosed.into(),
            Fragment::all(days),
            older.into(),
            latest.into(),
            table.into(),
            hint(t.seen_days).into(),
        ])
    }
}
