//! Glasses and their cases on their tables: what counts, for how long, and over a restart. Rows F49, F50.

use super::*;
use crate::{tables::memory::Memory, testing::World};

const NOW_S: i64 = 1_700_000_000;

struct Tables {
    cases: Arc<Memory>,
    open: Arc<Memory>,
}

impl Tables {
    fn glasses(&self, now_s: i64) -> Glasses {
        Glasses::open(
            GlassRules { minutes: 10, review_days: 2, keep_days: 30 },
            self.cases.clone(),
            self.open.clone(),
            now_s,
        )
        .unwrap()
    }
}

fn new(user: &str, patient: &str) -> NewGlass {
    NewGlass {
        user: user.into(),
        user_name: "Kim".into(),
        fhir_user: Some(format!("Practitioner/{user}").into()),
        patient: patient.into(),
        patient_name: "Rosa".into(),
        reason: Reason::Safety,
        words: "She is in danger.".into(),
    }
}

/// Proof of an entry: what makes it is the log of a world.
fn recorded(world: &World) -> Recorded {
    world
        .service
        .inner
        .did(&crate::registering::By::Operator, crate::event::Event::new("test", audit::entry::Action::Execute))
        .unwrap()
}

fn patients(glasses: &Glasses, user: &str, now_s: i64) -> Vec<String> {
    glasses.of(user).iter().filter(|glass| glass.until_s > now_s).map(|glass| glass.patient.to_string()).collect()
}

#[test]
fn f49_a_glass_is_one_persons_for_one_patient_and_some_minutes() {
    let world = World::new();
    let tables = Tables { cases: Arc::default(), open: Arc::default() };
    let glasses = tables.glasses(NOW_S);
    let open = |user: &str, patient: &str, now_s: i64| {
        glasses.break_one(new(user, patient), now_s, |_| Ok(recorded(&world))).map(|(case, _)| case)
    };
    let case = open("kim", "rosa", NOW_S).unwrap();
    assert_eq!(case.until_s, NOW_S + 600);
    let _ = open("kim", "ada", NOW_S + 1).unwrap();
    assert_eq!(patients(&glasses, "kim", NOW_S + 1), ["rosa", "ada"]);
    assert!(glasses.of("lee").is_empty());
    // Anew for the same patient: the one before ends.
    let again = open("kim", "rosa", NOW_S + 2).unwrap();
    assert_eq!(patients(&glasses, "kim", NOW_S + 2), ["ada", "rosa"]);
    assert_eq!(glasses.case(&case.id).unwrap().ended_s, Some(NOW_S + 2));
    let _ = open("kim", "eve", NOW_S + 3).unwrap();
    assert!(matches!(open("kim", "ben", NOW_S + 3), Err(GlassError::TooMany)));
    assert!(open("lee", "ben", NOW_S + 3).is_ok());
    // A restart knows them; a store that is restored, which has no open ones, does not.
    let restarted = tables.glasses(NOW_S + 4);
    assert_eq!(patients(&restarted, "kim", NOW_S + 4).len(), 3);
    let restored = Tables { cases: tables.cases.clone(), open: Arc::default() }.glasses(NOW_S + 4);
    assert!(restored.of("kim").is_empty());
    assert_eq!(restored.waiting().len(), 5);
    // They run out by themselves, at a start and at a sweep; the cases stay.
    assert!(tables.glasses(NOW_S + 700).of("kim").is_empty());
    glasses.sweep(NOW_S + 700).unwrap();
    assert!(glasses.of("kim").is_empty() && tables.open.all_keys().is_empty());
    assert_eq!(glasses.waiting().len(), 5);
    let late = |_: &Case| -> Result<Recorded, GlassError> { unreachable!() };
    assert!(matches!(glasses.end(&again.id, "kim", NOW_S + 700, late), Err(GlassError::NotFound)));
}

#[test]
fn f49_only_its_own_person_ends_it() {
    let world = World::new();
    let tables = Tables { cases: Arc::default(), open: Arc::default() };
    let glasses = tables.glasses(NOW_S);
    let (case, _) = glasses.break_one(new("kim", "rosa"), NOW_S, |_| Ok(recorded(&world))).unwrap();
    let end = |user: &str| glasses.end(&case.id, user, NOW_S + 5, |_| Ok(recorded(&world)));
    assert!(matches!(end("lee"), Err(GlassError::NotFound)));
    assert!(end("kim").is_ok() && glasses.of("kim").is_empty());
    assert!(matches!(end("kim"), Err(GlassError::NotFound)));
    assert_eq!(tables.glasses(NOW_S + 6).case(&case.id).unwrap().end_s(), NOW_S + 5);
}

#[test]
fn f50_a_verdict_ends_the_waiting_and_a_question_does_not() {
    let world = World::new();
    let tables = Tables { cases: Arc::default(), open: Arc::default() };
    let glasses = tables.glasses(NOW_S);
    let (case, _) = glasses.break_one(new("kim", "rosa"), NOW_S, |_| Ok(recorded(&world))).unwrap();
    let judge = |by: &str, verdict: Verdict, fhir_user: Option<&str>| {
        let review = Review { by: by.into(), by_name: "Ines".into(), verdict, note: "n".into(), at_s: NOW_S + 9 };
        glasses.review(&case.id, review, fhir_user, |_, _| Ok(recorded(&world)))
    };
    assert!(matches!(judge("kim", Verdict::Justified, None), Err(GlassError::Own)));
    assert!(matches!(judge("other", Verdict::Justified, Some("Practitioner/kim")), Err(GlassError::Own)));
    assert!(judge("ines", Verdict::FollowUp, None).is_ok() && glasses.waiting().len() == 1);
    assert!(judge("ines", Verdict::Justified, Some("Practitioner/ines")).is_ok() && glasses.waiting().is_empty());
    assert!(matches!(judge("ines", Verdict::NotJustified, None), Err(GlassError::NotFound)));
    let kept = tables.glasses(NOW_S + 10).case(&case.id).unwrap();
    assert_eq!(
        kept.reviews.iter().map(|review| review.verdict).collect::<Vec<_>>(),
        [Verdict::FollowUp, Verdict::Justified]
    );
}

/// Row F50: a case leaves so many days after its verdict, at a sweep and for good; one that waits never does.
#[test]
fn f50_judged_cases_are_kept_for_some_days_and_waiting_ones_for_ever() {
    const DAY_S: i64 = 86_400;
    let world = World::new();
    let tables = Tables { cases: Arc::default(), open: Arc::default() };
    let glasses = tables.glasses(NOW_S);
    let open = |patient: &str| {
        glasses.break_one(new("kim", patient), NOW_S, |_| Ok(recorded(&world))).map(|(case, _)| case).unwrap()
    };
    let (judged, asked, waits) = (open("rosa"), open("ada"), open("eve"));
    let judge = |case: &Case, verdict: Verdict, at_s: i64| {
        let review = Review { by: "ines".into(), by_name: "Ines".into(), verdict, note: "n".into(), at_s };
        assert!(glasses.review(&case.id, review, None, |_, _| Ok(recorded(&world))).is_ok());
    };
    judge(&judged, Verdict::NotJustified, NOW_S + DAY_S);
    judge(&asked, Verdict::FollowUp, NOW_S + DAY_S);
    glasses.sweep(NOW_S + 31 * DAY_S - 1).unwrap();
    assert_eq!(glasses.all().len(), 3);
    glasses.sweep(NOW_S + 31 * DAY_S).unwrap();
    glasses.sweep(NOW_S + 9_999 * DAY_S).unwrap();
    for glasses in [&glasses, &tables.glasses(NOW_S + 9_999 * DAY_S)] {
        let left: Vec<_> = glasses.all().iter().map(|case| Arc::clone(&case.patient)).collect();
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(glasses.case(&judged.id).is_none() && glasses.case(&waits.id).is_some());
    }
}

/// Row F49: as many cases as are kept stop nobody in an emergency while one of them was judged: that one leaves.
#[test]
fn f49_the_case_that_was_judged_first_makes_room() {
    let world = World::new();
    let tables = Tables { cases: Arc::default(), open: Arc::default() };
    let glasses = tables.glasses(NOW_S);
    let open =
        |patient: &str| glasses.break_one(new("kim", patient), NOW_S, |_| Ok(recorded(&world))).map(|(case, _)| case);
    let first = open("rosa").unwrap();
    for number in glasses.all().len()..limits::GLASS_CASES_MAX {
        glasses.keep(Arc::new(Case { id: format!("c{number}").into(), ..Case::clone(&first) }));
    }
    assert!(glasses.is_full() && matches!(open("ada"), Err(GlassError::Full)));
    let judge = |id: &str, at_s: i64| {
        let (by, verdict) = ("ines".into(), Verdict::Justified);
        let review = Review { by, by_name: "Ines".into(), verdict, note: "".into(), at_s };
        assert!(glasses.review(id, review, None, |_, _| Ok(recorded(&world))).is_ok());
    };
    judge("c7", NOW_S + 9);
    judge("c8", NOW_S + 8);
    assert!(!glasses.is_full());
    let ada = open("ada").unwrap();
    assert!(glasses.case("c8").is_none() && glasses.case("c7").is_some() && glasses.case(&ada.id).is_some());
    assert_eq!(glasses.all().len(), limits::GLASS_CASES_MAX);
}

#[test]
fn rows_come_back_as_they_were_and_no_others() {
    let world = World::new();
    let tables = Tables { cases: Arc::default(), open: Arc::default() };
    let (case, _) = tables.glasses(NOW_S).break_one(new("kim", "rosa"), NOW_S, |_| Ok(recorded(&world))).unwrap();
    let review = Review { by: "i".into(), by_name: "I".into(), verdict: Verdict::FollowUp, note: "".into(), at_s: 7 };
    let full = Case { ended_s: Some(3), reviews: vec![review], ..Case::clone(&case) };
    let row = case::encode(&full);
    assert!(case::decode(full.id.as_bytes(), &row).unwrap() == full);
    let whole: serde_json::Value = serde_json::from_slice(&row).unwrap();
    for name in whole.as_object().unwrap().keys() {
        let mut broken = whole.clone();
        broken[name] = serde_json::json!(true);
        assert!(case::decode(b"x", broken.to_string().as_bytes()).is_none(), "{name}");
    }
}
