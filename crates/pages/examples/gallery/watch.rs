//! States of the pages of who saw a record, and of the privacy officer. All names are invented.

use super::{LONG, State, add, day, frame};
use pages::{
    EventAsked, EventDetail, EventFacts, Events, EventsProblem, Moment, NoteProblem, Officer, OfficerQueue, Place,
    Seen, SeenDay, SeenDeed, SeenLine, SeenRole, SeenWho, Unusual, UnusualFacts, UnusualOne, UnusualRule,
    UnusualVerdict,
};

fn moment(minutes: i64) -> Moment {
    Moment::from_unix(1_772_546_700 + minutes * 60, 0)
}

fn line(name: &str, role: SeenRole) -> SeenLine {
    let looked = ["Goal", "Observation", "MedicationRequest"].map(|kind| Some(kind.into()));
    SeenLine {
        who: SeenWho::Person(name.into(), role),
        app: Some("Bedside Chart".into()),
        organization: None,
        times: (moment(0), moment(95)),
        deeds: vec![(SeenDeed::Looked, looked.into()), (SeenDeed::Changed, vec![Some("Goal".into())])],
        why: vec!["TREAT".into()],
        emergency: false,
        disclosed: false,
        in_list: false,
        party: None,
    }
}

pub(super) fn all(states: &mut Vec<State>) {
    seen(states);
    officer(states);
}

fn seen(states: &mut Vec<State>) {
    let rosa = || frame(Some("Rosa Alvarez"), &[Place::Apps, Place::Choices, Place::Seen, Place::Security]);
    let page = |days| Seen {
        patient: "rosa".into(),
        name: None,
        others: Vec::new(),
        days,
        older: None,
        is_older: false,
        without_detail: false,
    };
    add(states, "seen-nobody", rosa(), page(Vec::new()));
    add(states, "seen-nothing-older", rosa(), Seen { is_older: true, ..page(Vec::new()) });
    let dora = SeenLine { party: Some("Practitioner/dora".into()), ..line("Dora Roth", SeenRole::Clinician) };
    let one = SeenDay { date: day(), lines: vec![dora] };
    add(states, "seen-one", rosa(), page(vec![one.clone()]));
    let you = SeenLine { who: SeenWho::You, why: vec!["PATRQT".into()], ..line("", SeenRole::Patient) };
    let emergency = SeenLine {
        emergency: true,
        why: vec!["BTG".into()],
        app: None,
        times: (moment(3), moment(3)),
        deeds: vec![(SeenDeed::Looked, vec![Some("Condition".into()), Some("Basic".into())])],
        ..line(LONG, SeenRole::Clinician)
    };
    let payer = SeenLine {
        who: SeenWho::System,
        organization: Some("Northlight Health Plan".into()),
        why: vec!["HPAYMT".into(), "CLMATTCH".into()],
        deeds: vec![(SeenDeed::Looked, vec![Some("Coverage".into()), Some("Claim".into())])],
        ..line("", SeenRole::Outside)
    };
    let health_office = SeenLine {
        who: SeenWho::Role(SeenRole::Outside),
        organization: Some("State Health Office".into()),
        app: None,
        why: vec!["PUBHLTH".into(), "X-OTHER".into()],
        disclosed: true,
        ..line("", SeenRole::Outside)
    };
    let list = SeenLine { in_list: true, ..line("Bo", SeenRole::Administrator) };
    let many = SeenDay { date: day(), lines: vec![emergency, you, list, payer, health_office] };
    let days = vec![many.clone(), one];
    add(
        states,
        "seen-many",
        rosa(),
        Seen { older: Some("1772546700000".into()), is_older: true, ..page(days.clone()) },
    );
    let caregiver = Seen {
        name: Some("Rosa Alvarez".into()),
        others: vec![("luis".into(), "Luis Alvarez".into()), ("long".into(), LONG.into())],
        days: days
            .into_iter()
            .map(|mut day| {
                day.lines.iter_mut().for_each(|line| line.deeds = vec![(SeenDeed::Looked, vec![None])]);
                day
            })
            .collect(),
        without_detail: true,
        ..page(Vec::new())
    };
    let marta = frame(Some("Marta Alvarez"), &[Place::Apps, Place::Seen, Place::Security]);
    add(states, "seen-caregiver", marta, caregiver);
}

fn officer(states: &mut Vec<State>) {
    let olga = || frame(Some("Olga Ivanova"), &[Place::Officer, Place::Apps, Place::Security]);
    for (name, open) in [("officer-nothing", 0), ("officer-one", 1), ("officer-many", 12)] {
        add(states, name, olga(), Officer { queues: vec![(OfficerQueue::Cases, open), (OfficerQueue::Unusual, open)] });
    }
    let event = |who: &str| EventFacts {
        id: "0f3c6a1e5b7d4c2e9a8b7c6d5e4f3a2b".into(),
        at: moment(5),
        who: Some(who.into()),
        role: Some(SeenRole::Clinician),
        what: "read Observation/bims-1".into(),
        patients: vec!["rosa".into()],
        refused: false,
        emergency: false,
    };
    let events = |found| Events { asked: EventAsked::default(), found, next: None, problem: None };
    add(states, "events-none", olga(), events(Vec::new()));
    let asked = EventAsked {
        person: Some("Dora".into()),
        patient: Some("rosa".into()),
        from: Some("2026-03-01".into()),
        until: Some("2026-03-31".into()),
        emergency: true,
        ..EventAsked::default()
    };
    let found = vec![
        EventFacts { emergency: true, ..event("Dora Roth") },
        EventFacts {
            refused: true,
            what: "search-type Observation?code=http://loinc.org|52491-8".into(),
            ..event(LONG)
        },
        EventFacts { who: None, role: None, refused: true, what: "token-refused".into(), ..event("") },
    ];
    add(states, "events", olga(), Events { asked, next: Some("c29tZXRoaW5n".into()), ..events(found) });
    for (name, problem) in
        [("day", EventsProblem::Day), ("patient", EventsProblem::Patient), ("much", EventsProblem::TooMuch)]
    {
        add(states, &format!("events-wrong-{name}"), olga(), Events { problem: Some(problem), ..events(Vec::new()) });
    }
    let detail = EventDetail {
        facts: EventFacts { emergency: true, refused: true, ..event("Dora Roth") },
        account: Some("u-7c1f".into()),
        app: Some("Bedside Chart".into()),
        organization: Some("Northlight Health Plan".into()),
        address: Some("192.0.2.7".into()),
        why: vec!["TREAT".into(), "BTG".into()],
        query: Some("Observation?code=http://loinc.org|52491-8&date=ge2026-01-01&patient=Patient/rosa".into()),
        touched: vec!["Observation/bims-1/_history/3".into(), "Patient/rosa".into()],
        reason: Some("the token's scopes do not allow 'r' on Observation".into()),
        counted: vec!["consent c-1: withhold".into(), "default all-normal: permit".into()],
        request: Some("5f2c9f0e-6a4e-4c53-9f6e-0d1d2a7e3b11".into()),
        place_in_log: "104233".into(),
    };
    add(states, "event", olga(), detail.clone());
    let plain = EventDetail {
        facts: EventFacts { who: None, role: None, patients: Vec::new(), ..event("") },
        account: None,
        app: None,
        organization: None,
        why: Vec::new(),
        query: None,
        touched: Vec::new(),
        reason: None,
        counted: Vec::new(),
        request: None,
        ..detail
    };
    add(states, "event-plain", olga(), plain);
    let unusual = |rule, who: &str| UnusualFacts {
        id: "19c2f0".into(),
        rule,
        at: moment(9),
        who: who.into(),
        patient: Some("rosa".into()),
        count: 1,
        verdict: None,
    };
    let list = |found, has_more, done| Unusual { found, has_more, done };
    add(states, "unusual-none", olga(), list(Vec::new(), false, false));
    let mut found: Vec<UnusualFacts> = [
        UnusualRule::Rate,
        UnusualRule::Breadth,
        UnusualRule::Family,
        UnusualRule::Protected,
        UnusualRule::Own,
        UnusualRule::Refusals,
    ]
    .map(|rule| unusual(rule, "Dora Roth"))
    .into();
    for verdict in [UnusualVerdict::Fine, UnusualVerdict::Misuse, UnusualVerdict::Unclear] {
        found.push(UnusualFacts { verdict: Some(verdict), ..unusual(UnusualRule::Family, LONG) });
    }
    add(states, "unusual", olga(), list(found, true, true));
    let one = |facts| UnusualOne {
        csrf: "token".into(),
        facts,
        event: "0f3c6a1e5b7d4c2e9a8b7c6d5e4f3a2b".into(),
        review: None,
        is_own: false,
        verdict: None,
        note: "".into(),
        problem: None,
    };
    let rate = || UnusualFacts { count: 412, patient: None, ..unusual(UnusualRule::Rate, "Dora Roth") };
    add(states, "unusual-one", olga(), one(rate()));
    add(states, "unusual-one-without-note", olga(), UnusualOne { problem: Some(NoteProblem::Missing), ..one(rate()) });
    let long = UnusualOne {
        verdict: Some(UnusualVerdict::Fine),
        note: "I asked the head of the ward. ".repeat(80).as_str().into(),
        problem: Some(NoteProblem::TooLong(2_000)),
        ..one(rate())
    };
    add(states, "unusual-one-note-long", olga(), long);
    add(
        states,
        "unusual-one-own",
        olga(),
        UnusualOne { is_own: true, ..one(unusual(UnusualRule::Own, "Olga Ivanova")) },
    );
    let judged = UnusualFacts { verdict: Some(UnusualVerdict::Fine), ..unusual(UnusualRule::Family, "Dora Roth") };
    let review = Some(("Asked Dora: they are not related.".into(), "Olga Ivanova".into()));
    add(states, "unusual-one-judged", olga(), UnusualOne { review, ..one(judged) });
}
