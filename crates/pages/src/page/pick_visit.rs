//! Which visit or stay an app shall know of. SPEC: SMART App Launch 2.2 `launch/encounter`; row B51.

use crate::{
    EncounterFacts, PatientFacts, Secret, Text, fields,
    html::{Address, Fragment, el},
    parts::{self, actions, deciding, fill, secondary},
    paths,
    render::{Context, Render},
};

/// The picker of a visit: one, some or none.
#[derive(Clone, Debug)]
pub struct PickVisit {
    /// Form token.
    pub csrf: Secret,
    /// What comes after.
    pub continuation: Secret,
    /// The app that wants to know.
    pub app: Text,
    /// Whose visits.
    pub patient: PatientFacts,
    /// Those to choose from, latest first, at most [`crate::limits::ROWS_MAX`]; only those that the person may see.
    pub visits: Vec<EncounterFacts>,
}

impl Render for PickVisit {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.pick_visit_title.to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::VISIT).with(fields::CONTINUATION, self.continuation.as_str())
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let lead = if self.visits.is_empty() { t.pick_visit_nothing } else { t.pick_visit_lead };
        let rows = self.visits.iter().map(|visit| {
            let button = el("button").class("row").attr("name", fields::ENCOUNTER).attr("value", visit.id.as_str());
            let words = el("span").class("label").add(el("span").class("name").add(visit.words(t)));
            el("li").add(button.add(words).add(parts::icon("M9 5l7 7-7 7")))
        });
        let list = (!self.visits.is_empty())
            .then(|| el("ul").class("rows").attr("aria-label", t.pick_visit_list).add(Fragment::all(rows)));
        let without = deciding(secondary(t.pick_visit_without), fields::WITHOUT);
        let form = parts::form(paths::VISIT, &self.csrf)
            .add(parts::continuation(&self.continuation))
            .add(list)
            .add(actions(vec![without, deciding(secondary(t.share_nothing), fields::DENY)]));
        Fragment::all([
            parts::lead(fill(lead, &[("app", (&self.app).into())])),
            el("p").class("choice").add(parts::patient(&self.patient, t)),
            form,
        ])
    }
}
