//! What a patient shares: no choice, all kinds of them, the form, what a choice would do.

use super::{LONG, State, add, day, frame};
use pages::{
    ChoiceDraft, ChoiceFacts, ChoiceForm, ChoiceMatter, ChoiceParty, ChoicePreview, ChoiceProblem, ChoiceState,
    ChoiceStep, ChoiceWhat, ChoiceWho, ChoiceWords, Choices, ChoicesNotice, Date, EntryFacts, Frame, Place, Text,
    WatchedFacts, fields,
};

fn rosa() -> Frame {
    frame(Some("Rosa Alvarez"), &[Place::Apps, Place::Choices, Place::Seen, Place::Security])
}

fn entry(kind: &str, title: &str, date: Option<Date>) -> EntryFacts {
    let title = (!title.is_empty()).then(|| title.into());
    EntryFacts { reference: format!("{kind}/1").into(), kind: kind.into(), title, date }
}

fn words() -> ChoiceWords {
    ChoiceWords {
        shares: false,
        who: ChoiceWho::These(vec!["Dr. Kim Novak".into()]),
        what: ChoiceWhat::Everything,
        purposes: Vec::new(),
        until: None,
        emergency: true,
    }
}

fn facts(words: Option<ChoiceWords>) -> ChoiceFacts {
    ChoiceFacts {
        id: "c1".into(),
        words,
        recorded: Some(day()),
        by: Some("Rosa Alvarez".into()),
        state: ChoiceState::InForce,
        may_end: true,
    }
}

fn some() -> Vec<ChoiceFacts> {
    let kinds = ["MedicationRequest", "MedicationDispense", "MedicationAdministration", "MedicationStatement"];
    let kinds = kinds.into_iter().chain(["Immunization", "ImmunizationRecommendation", "Goal", "BodyStructure"]);
    let names = vec![Text::new("Luis Diaz"), Text::default(), Text::new("Iris Roth")];
    let entries = vec![entry("DocumentReference", "Discharge letter", Some(day())), entry("Observation", "", None)];
    let matters = vec![ChoiceMatter::Mind, ChoiceMatter::Substances];
    let shared = ChoiceWords { shares: true, who: ChoiceWho::These(vec![LONG.into()]), emergency: false, ..words() };
    let but =
        ChoiceWords { who: ChoiceWho::But(names), what: ChoiceWhat::Matters(matters), until: Some(day()), ..words() };
    let everybody =
        ChoiceWords { who: ChoiceWho::Everybody, what: ChoiceWhat::Types(kinds.map(Into::into).collect()), ..words() };
    let purposes = vec!["HPAYMT".into(), "HRESCH".into()];
    let payer = ChoiceWords {
        who: ChoiceWho::These(vec!["Northwind Health Plan".into()]),
        what: ChoiceWhat::Entries(entries),
        purposes,
        emergency: false,
        ..words()
    };
    vec![
        facts(Some(words())),
        facts(Some(shared)),
        facts(Some(but)),
        facts(Some(everybody)),
        facts(Some(payer)),
        ChoiceFacts { may_end: false, by: Some("Records Office".into()), ..facts(None) },
    ]
}

fn list(in_force: Vec<ChoiceFacts>) -> Choices {
    Choices {
        patient: "rosa".into(),
        name: None,
        others: Vec::new(),
        acts: true,
        in_force,
        idle: Vec::new(),
        has_more: false,
        notice: None,
    }
}

fn form() -> ChoiceForm {
    let party = |reference: &str, name: &str, is_carer| ChoiceParty {
        reference: reference.into(),
        name: name.into(),
        is_carer,
    };
    ChoiceForm {
        csrf: "token".into(),
        patient: "rosa".into(),
        name: None,
        parties: vec![
            party("Practitioner/kim", "Dr. Kim Novak", true),
            party("RelatedPerson/luis", "Luis Diaz", true),
            party("CareTeam/team", "Team of the second floor", true),
            party("Organization/payer", "Northwind Health Plan", false),
            party("Practitioner/long", LONG, false),
        ],
        entries: vec![
            entry("DocumentReference", "Discharge letter", Some(day())),
            entry("Observation", "Blood pressure", Some(day())),
            entry("Goal", "", None),
        ],
        purposes: ["TREAT", "HPAYMT", "HOPERAT", "HRESCH"].map(Into::into).into(),
        draft: ChoiceDraft { emergency: true, ..ChoiceDraft::default() },
        problems: Vec::new(),
    }
}

fn watched(name: &str, hides: usize, shows: usize) -> WatchedFacts {
    let some = |count: usize| {
        let all = [
            entry("Observation", "Blood pressure", Some(day())),
            entry("MedicationRequest", "Metoprolol 25 mg", Some(day())),
            entry("Encounter", "", None),
        ];
        (count, all.into_iter().take(count).collect())
    };
    WatchedFacts { name: name.into(), is_outside: false, hides: some(hides), shows: some(shows) }
}

fn preview(step: ChoiceStep, watched: Vec<WatchedFacts>) -> ChoicePreview {
    ChoicePreview {
        csrf: "token".into(),
        shown: "shown".into(),
        patient: "rosa".into(),
        is_own: true,
        step,
        watched,
        unchanged: 3,
        is_part: false,
        is_stale: false,
    }
}

pub(super) fn all(states: &mut Vec<State>) {
    add(states, "choices-none", rosa(), list(Vec::new()));
    add(states, "choices-some", rosa(), list(some()));
    let idle = [ChoiceState::NotActive, ChoiceState::OutOfPeriod, ChoiceState::Replaced];
    let idle =
        idle.into_iter().map(|state| ChoiceFacts { state, may_end: false, recorded: None, by: None, ..facts(None) });
    let made = Choices {
        idle: idle.collect(),
        notice: Some(ChoicesNotice::Made),
        has_more: true,
        ..list(vec![facts(Some(words()))])
    };
    add(states, "choices-made", rosa(), made);
    let luis = || frame(Some("Luis Diaz"), &[Place::Apps, Place::Choices, Place::Seen, Place::Security]);
    let read = ChoiceFacts { may_end: false, ..facts(Some(words())) };
    let reader = Choices {
        name: Some(LONG.into()),
        others: vec![("maud".into(), "Maud Okafor".into())],
        acts: false,
        ..list(vec![read])
    };
    add(states, "choices-reader", luis(), reader.clone());
    let law = Choices { acts: true, notice: Some(ChoicesNotice::Ended), ..reader };
    add(states, "choices-by-law", luis(), law);
    add(states, "choice-new", rosa(), form());
    let draft = ChoiceDraft {
        effect: fields::WITHHOLD.into(),
        who: "Practitioner/kim".into(),
        what: fields::KINDS.into(),
        kinds: vec!["medicines".into()],
        until: "2020-01-01".into(),
        purposes: vec!["TREAT".into()],
        emergency: true,
        ..ChoiceDraft::default()
    };
    let all = [
        ChoiceProblem::Effect,
        ChoiceProblem::Who,
        ChoiceProblem::ButShared,
        ChoiceProblem::What,
        ChoiceProblem::Until,
        ChoiceProblem::Own,
    ];
    add(states, "choice-wrong", rosa(), ChoiceForm { draft, problems: all.into(), ..form() });
    let alone = ChoiceForm { parties: Vec::new(), entries: Vec::new(), name: Some(LONG.into()), ..form() };
    add(states, "choice-nobody", rosa(), alone);
    let kept = || vec![("who".into(), "Practitioner/kim".into())];
    let many = vec![
        watched("Dr. Kim Novak", 12, 0),
        watched("Luis Diaz", 0, 1),
        watched(LONG, 1, 2),
        watched("Iris Roth", 0, 0),
        WatchedFacts { is_outside: true, ..watched("Bo Lund", 0, 0) },
    ];
    add(states, "choice-preview", rosa(), preview(ChoiceStep::New(words(), kept()), many));
    let stale = ChoicePreview {
        is_stale: true,
        is_part: true,
        unchanged: 1,
        ..preview(ChoiceStep::New(words(), kept()), vec![])
    };
    add(states, "choice-stale", rosa(), stale);
    let end = ChoiceStep::End(facts(Some(words())));
    add(states, "choice-end", rosa(), preview(end, vec![watched("Dr. Kim Novak", 0, 30)]));
    let untold =
        ChoicePreview { is_own: false, ..preview(ChoiceStep::End(facts(None)), vec![watched("Luis Diaz", 2, 2)]) };
    add(states, "choice-end-untold", luis(), untold);
}
