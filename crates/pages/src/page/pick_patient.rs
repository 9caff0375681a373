//! Whose record an app shall see, for who may see several. SPEC: row B25; SMART App Launch 2.2 `launch/patient`.

use crate::{
    PatientFacts, Secret, Text, fields,
    html::{Address, Fragment, el},
    parts::{self, actions, deciding, fill, fill_plain, hint, primary, secondary},
    paths,
    render::{Context, Render},
};

/// The patient picker: one, some, or many with a filter.
#[derive(Clone, Debug)]
pub struct PickPatient {
    /// Form token.
    pub csrf: Secret,
    /// What comes after.
    pub continuation: Secret,
    /// The app that wants to know.
    pub app: Text,
    /// Those to choose from, at most [`crate::limits::ROWS_MAX`]; only those that the person may see.
    pub patients: Vec<PatientFacts>,
    /// There are more than these: shows the filter and says so. With nobody shown the person says first whom they look for.
    pub has_more: bool,
    /// What was looked for; `Some` shows the filter.
    pub filter: Option<Text>,
}

impl PickPatient {
    /// The only one there is, when nothing was looked for.
    fn only(&self) -> Option<&PatientFacts> {
        match self.patients.as_slice() {
            [only] if self.filter.is_none() && !self.has_more => Some(only),
            _ => None,
        }
    }

    fn has_nobody(&self) -> bool {
        self.patients.is_empty() && self.filter.is_none() && !self.has_more
    }
}

impl Render for PickPatient {
    fn title(&self, cx: Context<'_>) -> String {
        match self.only() {
            Some(patient) => fill_plain(cx.t.pick_one_title, &[("patient", patient.name.as_str())]),
            None if self.has_nobody() => cx.t.pick_none_title.to_owned(),
            None => cx.t.pick_title.to_owned(),
        }
    }

    fn heading(&self, cx: Context<'_>) -> Fragment {
        match self.only() {
            Some(patient) => fill(cx.t.pick_one_title, &[("patient", (&patient.name).into())]),
            None => self.title(cx).into(),
        }
    }

    fn here(&self) -> Address {
        let address = Address::of(paths::PATIENT).with(fields::CONTINUATION, self.continuation.as_str());
        address.with_some(fields::FILTER, self.filter.as_ref().map(Text::as_str))
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let app = || [("app", Fragment::from(&self.app))];
        let form = || parts::form(paths::PATIENT, &self.csrf).add(parts::continuation(&self.continuation));
        let nothing = || deciding(secondary(t.share_nothing), fields::DENY);
        if let Some(patient) = self.only() {
            let card = el("p").class("choice").add(parts::patient(patient, t));
            let yes = primary(t.pick_one).attr("name", fields::PATIENT).attr("value", patient.id.as_str());
            let form = form().add(card).add(actions(vec![yes, nothing()]));
            return Fragment::all([parts::lead(fill(t.pick_one_lead, &app())), form]);
        }
        if self.has_nobody() {
            let form = form().add(actions(deciding(primary(t.go_back), fields::DENY)));
            return Fragment::all([parts::lead(fill(t.pick_none_lead, &app())), form]);
        }
        let finder = (self.filter.is_some() || self.has_more).then(|| {
            let all = Address::of(paths::PATIENT).with(fields::CONTINUATION, self.continuation.as_str());
            let all = self.filter.is_some().then(|| el("p").add(el("a").class("quiet").href(&all).add(t.find_all)));
            let rest = parts::continuation(&self.continuation);
            Fragment::all([Fragment::from(parts::finder(paths::PATIENT, self.filter.as_ref(), rest, t)), all.into()])
        });
        let rows = self.patients.iter().map(|patient| {
            let button = el("button").class("row").attr("name", fields::PATIENT).attr("value", patient.id.as_str());
            el("li").add(button.add(parts::patient(patient, t)).add(parts::icon("M9 5l7 7-7 7")))
        });
        let list = match (self.patients.is_empty(), &self.filter) {
            (true, None) => None,
            (true, Some(_)) => Some(el("p").attr("role", "status").add(t.pick_not_found)),
            (false, _) => Some(el("ul").class("rows").attr("aria-label", t.pick_list).add(Fragment::all(rows))),
        };
        let more = (self.has_more && !self.patients.is_empty())
            .then(|| hint(fill_plain(t.pick_more, &[("count", &self.patients.len().to_string())])));
        Fragment::all([
            parts::lead(fill(t.pick_lead, &app())).into(),
            Fragment::from(finder),
            form().add(list).add(more).add(actions(nothing())).into(),
        ])
    }
}
