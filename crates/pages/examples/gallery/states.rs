//! The states that pages are looked at in: empty, one, many, long, hostile, wrong. All names are invented.
//! The gallery shows them; the tests (`tests/it`) hold them to the rules of the house.

#[path = "choices.rs"]
mod choices;
#[path = "watch.rs"]
mod watch;

use pages::words::{Ask, Context, Scope, UserReach};
use pages::{
    Act, App, AppFacts, Apps, AuthenticatorSetup, CaseFacts, CaseReview, CaseState, CaseVerdict, Cases,
    CertificateLife, ChangePassword, Checked, Client, ClientFacts, ClientKind, ClientRegistered, ClientRegistration,
    Clients, CodeProblem, CodeWay, CommunityFacts, Consent, Date, Done, DoneWhat, Emergency, EmergencyReason,
    EmergencyStep, EncounterFacts, Ended, Ends, Frame, GrantFacts, IntentFacts, Invitation, InvitationRole, Lasts,
    Launch, LaunchStep, LookFacts, MayJudge, Moment, NewPasswordProblem, Next, NoteProblem, OpenRecord, OpenableApp,
    OutsideFacts, PartnerFacts, PartnerState, Partners, Passkey, PasskeyFacts, PatientFacts, PickPatient, PickVisit,
    Place, Problem, ProblemWhat, Provider, Recovery, RecoveryCodes, RecoveryStep, Registered, RegistrationProblem,
    RegistrationReason, Relation, ReturnReason, ReviewFacts, SecondFactor, SecretFacts, Security, SecurityNotice,
    SentBack, SentOn, SessionFacts, SignIn, SignInReason, Signed, Text, View, VisitKind, fields,
};

/// A page in one state.
pub(crate) struct State {
    /// `consent-caregiver`.
    pub(crate) name: String,
    /// Around it.
    pub(crate) frame: Frame,
    /// The page.
    pub(crate) view: View,
}

const LONG: &str = "Wolfeschlegelsteinhausenbergerdorff de la Santísima Trinidad y Fernández-Villaseñor";
const FACILITY: &str = "Maple Grove Care Center";
const OBSERVATION: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
const US_CORE: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category";
const CREATE: &str = r#"{"challenge":"q83vASNFZ4k","rp":{"id":"localhost","name":"Maple Grove"},"user":{"id":"AQID","name":"rosa","displayName":"Rosa Alvarez"},"pubKeyCredParams":[{"type":"public-key","alg":-7},{"type":"public-key","alg":-257}],"excludeCredentials":[],"authenticatorSelection":{"residentKey":"required","userVerification":"required"},"attestation":"none","timeout":60000}"#;
const GET: &str = r#"{"challenge":"q83vASNFZ4k","rpId":"localhost","allowCredentials":[],"userVerification":"required","timeout":60000}"#;

/// All of them.
pub(crate) fn all() -> Vec<State> {
    let mut states = Vec::new();
    sign_in(&mut states);
    sent_on(&mut states);
    joining(&mut states);
    patients(&mut states);
    consent(&mut states);
    apps(&mut states);
    security(&mut states);
    launch(&mut states);
    clients(&mut states);
    emergency(&mut states);
    cases(&mut states);
    partners(&mut states);
    watch::all(&mut states);
    choices::all(&mut states);
    ends(&mut states);
    states
}

fn frame(person: Option<&str>, places: &[Place]) -> Frame {
    let person = person.map(|name| Signed { name: name.into(), csrf: "token".into(), places: places.to_vec() });
    Frame { facility: FACILITY.into(), nonce: "bm9uY2UgZm9yIGEgZ2FsbGVyeQ".into(), person }
}

fn add(states: &mut Vec<State>, name: &str, frame: Frame, view: impl Into<View>) {
    states.push(State { name: name.to_owned(), frame, view: view.into() });
}

fn moment() -> Moment {
    Moment::from_unix(1_772_546_700, -300)
}

fn day() -> Date {
    Date::from_unix(1_772_546_700)
}

fn sign_in(states: &mut Vec<State>) {
    let page = SignIn {
        csrf: "token".into(),
        continuation: "handle".into(),
        app: None,
        user: None,
        reason: None,
        passkey: None,
        providers: Vec::new(),
    };
    add(states, "sign-in", frame(None, &[]), page.clone());
    let full = SignIn {
        app: Some("Steady Steps".into()),
        passkey: Some(GET.into()),
        providers: vec![Provider { id: "state".into(), name: "Wisconsin State ID".into() }],
        ..page.clone()
    };
    add(states, "sign-in-full", frame(None, &[]), full.clone());
    let again = |reason| SignIn { user: Some("rosa".into()), reason: Some(reason), ..full.clone() };
    add(states, "sign-in-wrong", frame(None, &[]), again(SignInReason::Wrong));
    add(states, "sign-in-too-many", frame(None, &[]), again(SignInReason::TooMany(15)));
    add(states, "sign-in-ended", frame(None, &[]), SignIn { passkey: None, ..again(SignInReason::Ended) });
    add(states, "sign-in-again", frame(Some("Rosa Alvarez"), &[]), again(SignInReason::ProveAgain));
    add(states, "sign-in-passkey-failed", frame(None, &[]), again(SignInReason::PasskeyFailed));
    add(states, "sign-in-outside-failed", frame(None, &[]), again(SignInReason::OutsideFailed));

    let page = SecondFactor {
        csrf: "token".into(),
        continuation: "handle".into(),
        user: "rosa".into(),
        way: CodeWay::Authenticator,
        has_other_way: true,
        passkey: Some(GET.into()),
        problem: None,
    };
    add(states, "second-factor", frame(None, &[]), page.clone());
    let wrong = SecondFactor { problem: Some(CodeProblem::Wrong), passkey: None, ..page.clone() };
    add(states, "second-factor-wrong", frame(None, &[]), wrong);
    let recovery = SecondFactor { way: CodeWay::RecoveryCode, problem: Some(CodeProblem::TooMany(1)), ..page };
    add(states, "second-factor-recovery", frame(None, &[]), recovery);

    let page = Passkey {
        csrf: "token".into(),
        continuation: Some("handle".into()),
        options: CREATE.into(),
        name: Some("Rosa’s phone".into()),
        has_failed: false,
    };
    add(states, "passkey", frame(Some("Rosa Alvarez"), &[]), page.clone());
    add(states, "passkey-failed", frame(Some("Rosa Alvarez"), &[]), Passkey { has_failed: true, ..page });
}

fn sent_on(states: &mut Vec<State>) {
    let page = SentOn {
        continuation: "handle".into(),
        app: "Steady Steps".into(),
        place: "fhir.riverbend.example".into(),
        community: "Valley Trust".into(),
    };
    add(states, "sent-on", frame(None, &[]), page.clone());
    let long = SentOn {
        app: LONG.into(),
        place: "a-very-long-name-of-a-host-that-nobody-would-choose.riverbend-health-partners.example:8443".into(),
        community: "<b>Valley Trust</b>".into(),
        ..page
    };
    add(states, "sent-on-long", frame(None, &[]), long);
    add(states, "sent-back", frame(None, &[]), SentBack { continuation: "handle".into() });
}

fn joining(states: &mut Vec<State>) {
    let page = Invitation {
        csrf: "token".into(),
        invitation: "handle".into(),
        name: "Rosa Alvarez".into(),
        invited_by: Some("Dana Whitfield, admissions".into()),
        role: InvitationRole::Patient,
        needs_code: true,
        user: None,
        password_characters_min: 12,
        problem: None,
        providers: Vec::new(),
        outside_failed: false,
    };
    add(states, "invitation", frame(None, &[]), page.clone());
    let caregiver = Invitation {
        name: "Lucía Álvarez".into(),
        role: InvitationRole::Caregiver(vec!["Rosa Alvarez".into(), "Ignacio Alvarez".into()]),
        user: Some("lucia".into()),
        problem: Some(NewPasswordProblem::Breached),
        providers: vec![Provider { id: "outside".into(), name: "Riverbend Health ID".into() }],
        outside_failed: true,
        ..page.clone()
    };
    add(states, "invitation-caregiver", frame(None, &[]), caregiver);
    let roles = [
        ("clinician", InvitationRole::Clinician, NewPasswordProblem::UserTaken),
        ("privacy", InvitationRole::PrivacyOfficer, NewPasswordProblem::WrongCode),
        ("administrator", InvitationRole::Administrator, NewPasswordProblem::Different),
    ];
    for (name, role, problem) in roles {
        let page = Invitation { role, problem: Some(problem), needs_code: name == "privacy", ..page.clone() };
        add(states, &format!("invitation-{name}"), frame(None, &[]), page);
    }

    let step = RecoveryStep::Code { user: None, problem: None };
    let page = Recovery { csrf: "token".into(), continuation: Some("handle".into()), step, help: None };
    add(states, "recovery", frame(None, &[]), page.clone());
    let step = RecoveryStep::Code { user: Some("rosa".into()), problem: Some(CodeProblem::Wrong) };
    let help = Some("The front desk (555 0134)".into());
    add(states, "recovery-wrong", frame(None, &[]), Recovery { step, help, ..page.clone() });
    let problem = Some(NewPasswordProblem::Short);
    let step = RecoveryStep::NewPassword {
        recovery: "handle".into(),
        user: "rosa".into(),
        password_characters_min: 12,
        problem,
    };
    add(states, "recovery-password", frame(None, &[]), Recovery { step, ..page });
}

fn patient(id: &str, name: &str, born: &str) -> PatientFacts {
    PatientFacts { id: id.into(), name: name.into(), born: Date::parse(born), detail: None, relation: None }
}

fn many() -> Vec<PatientFacts> {
    let names = [
        ("Abernathy, Josephine", "1938-01-30"),
        ("Alvarez, Ignacio", "1941-11-02"),
        ("Alvarez, Rosa", "1943-05-17"),
        ("Alvarez, Rosa", "1951-09"),
        (LONG, "1929"),
        ("Nguyễn Thị Minh Khai", "1947-02-03"),
        ("O’Connell, Bríd", "1935-12-24"),
        ("<b>Smith</b> & \"Co\"", "1940-07-04"),
        ("李 小龍", "1944-08-09"),
    ];
    let rooms = names.into_iter().enumerate();
    rooms
        .map(|(at, (name, born))| PatientFacts {
            detail: Some(format!("Room {}", 100 + at).into()),
            ..patient(&format!("p{at}"), name, born)
        })
        .collect()
}

fn patients(states: &mut Vec<State>) {
    let rosa = PatientFacts { relation: Some(Relation::Caregiver), ..patient("p1", "Rosa Alvarez", "1943-05-17") };
    let lucia = PatientFacts { relation: Some(Relation::Oneself), ..patient("p2", "Lucía Álvarez", "1971-02-11") };
    let page = PickPatient {
        csrf: "token".into(),
        continuation: "handle".into(),
        app: "Steady Steps".into(),
        patients: vec![lucia, rosa.clone()],
        has_more: false,
        filter: None,
    };
    let signed = || frame(Some("Lucía Álvarez"), &[]);
    let visit = |id: &str, kind, ended| EncounterFacts {
        id: id.into(),
        kind,
        name: None,
        began: Date::parse("2026-02-11"),
        ended,
    };
    let visits = PickVisit {
        csrf: "token".into(),
        continuation: "handle".into(),
        app: "Steady Steps".into(),
        patient: rosa.clone(),
        visits: vec![visit("e1", VisitKind::Nursing, None), visit("e2", VisitKind::Office, Date::parse("2026-02-11"))],
    };
    add(states, "visit-none", signed(), PickVisit { visits: Vec::new(), ..visits.clone() });
    add(states, "visit-two", signed(), visits);
    add(states, "patient-two", signed(), page.clone());
    add(states, "patient-one", signed(), PickPatient { patients: vec![rosa], ..page.clone() });
    add(states, "patient-none", signed(), PickPatient { patients: Vec::new(), ..page.clone() });
    let nurse = || frame(Some("Marcus Bell, RN"), &[]);
    add(states, "patient-many", nurse(), PickPatient { patients: many(), has_more: true, ..page.clone() });
    let begin = PickPatient { patients: Vec::new(), has_more: true, ..page.clone() };
    add(states, "patient-search", nurse(), begin);
    let found = PickPatient {
        patients: many().into_iter().skip(1).take(3).collect(),
        filter: Some("alv".into()),
        ..page.clone()
    };
    add(states, "patient-found", nurse(), found);
    let lost = PickPatient { patients: Vec::new(), filter: Some("Zzyzx".into()), ..page };
    add(states, "patient-not-found", nurse(), lost);
}

fn app(name: &str) -> AppFacts {
    AppFacts {
        name: name.into(),
        maker: Some("Northlight Health, Inc.".into()),
        returns_to: Some("steadysteps.example".into()),
        logo: None,
        checked: Checked::ByFacility,
        purpose: Some("Shows how walking and balance get better from week to week.".into()),
    }
}

fn resources(context: Context, name: &str, letters: &str, category: Option<&str>) -> Ask {
    let word = match context {
        Context::Patient => "patient",
        Context::User => "user",
        Context::System => "system",
    };
    let query: Vec<(String, String)> =
        category.map(|category| ("category".to_owned(), category.to_owned())).into_iter().collect();
    let behind = category.map(|category| format!("?category={category}")).unwrap_or_default();
    let shown = if name.is_empty() { "*" } else { name };
    let resource_type = (!name.is_empty()).then_some(name);
    let exact = format!("{word}/{shown}.{letters}{behind}");
    Ask { scope: Scope::resources(&exact, context, resource_type, letters, &query), on: None }
}

fn special(exact: &str) -> Ask {
    Ask { scope: Scope::special(exact), on: None }
}

/// What a typical app for patients asks for.
fn usual() -> Vec<Ask> {
    let one = |name, category: Option<&str>| resources(Context::Patient, name, "rs", category);
    vec![
        special("openid"),
        special("fhirUser"),
        one("Patient", None),
        one("Observation", Some(&format!("{US_CORE}|functional-status"))),
        one("Observation", Some(&format!("{US_CORE}|cognitive-status"))),
        one("Observation", Some(&format!("{OBSERVATION}|vital-signs"))),
        one("Observation", Some(&format!("{OBSERVATION}|laboratory"))),
        one("Observation", Some(&format!("{OBSERVATION}|survey"))),
        one("Observation", Some(&format!("{OBSERVATION}|social-history"))),
        one("Condition", Some("http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item")),
        one("Condition", Some("http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis")),
        one("AllergyIntolerance", None),
        one("MedicationRequest", None),
        one("Immunization", None),
        one("Encounter", None),
        one("Procedure", None),
        one("Goal", None),
        one("CarePlan", None),
        one("DeviceUseStatement", None),
        one("DocumentReference", None),
        one("Practitioner", None),
        one("Provenance", None),
    ]
}

fn consent(states: &mut Vec<State>) {
    let rosa = patient("p1", "Rosa Alvarez", "1943-05-17");
    let lasts = vec![Lasts::Now, Lasts::Days(90), Lasts::Days(365)];
    let page = Consent {
        csrf: "token".into(),
        continuation: "handle".into(),
        app: app("Steady Steps"),
        patient: Some(rosa.clone()),
        asks: usual(),
        reach: UserReach::OneRecord,
        lasts: lasts.clone(),
        lasts_chosen: Lasts::Days(90),
        was_empty: false,
        vouched: None,
    };
    let signed = |name| frame(Some(name), &[]);
    add(states, "consent", signed("Rosa Alvarez"), page.clone());
    let vouched = Some(("fhir.riverbend.example".into(), "Valley Trust".into()));
    add(states, "consent-vouched", signed("Rosa Alvarez"), Consent { vouched, ..page.clone() });
    let few = |asks: Vec<Ask>| Consent { asks, lasts: vec![Lasts::Now], lasts_chosen: Lasts::Now, ..page.clone() };
    let small = few(vec![
        resources(Context::Patient, "Patient", "r", None),
        resources(Context::Patient, "Immunization", "rs", None),
    ]);
    add(states, "consent-small", signed("Rosa Alvarez"), small.clone());
    let unchecked = AppFacts {
        maker: None,
        returns_to: Some("free-health-gifts.example".into()),
        checked: Checked::ByNobody,
        purpose: Some(Text::new("\u{202e}Approved by your doctor!\u{202c} <script>alert(1)</script>")),
        ..app("<b>Maple Grove</b> Official App")
    };
    let everything = vec![
        resources(Context::Patient, "", "rs", None),
        resources(Context::Patient, "Observation", "cruds", None),
        resources(Context::Patient, "ImplementationGuide", "rs", None),
        resources(Context::Patient, "Condition", "rs", Some("http://acme.example/x|y")),
        special("smart/unheard-of"),
    ];
    let risky = Consent {
        app: unchecked,
        asks: everything,
        lasts: vec![Lasts::UntilEnded],
        lasts_chosen: Lasts::UntilEnded,
        was_empty: true,
        ..page.clone()
    };
    add(states, "consent-unchecked", signed("Rosa Alvarez"), risky);
    let caregiver = Consent {
        patient: Some(PatientFacts { detail: Some("Room 102".into()), ..rosa.clone() }),
        asks: usual().into_iter().chain([resources(Context::User, "Encounter", "rs", None)]).collect(),
        reach: UserReach::Records,
        ..page.clone()
    };
    add(states, "consent-caregiver", signed("Lucía Álvarez"), caregiver);
    let clinician = Consent {
        app: app("Gait Lab for Clinicians"),
        patient: None,
        asks: vec![
            special("openid"),
            special("fhirUser"),
            resources(Context::User, "Patient", "rs", None),
            resources(Context::User, "Observation", "rs", None),
            resources(Context::User, "Observation", "rs", Some(&format!("{OBSERVATION}|vital-signs"))),
            resources(Context::User, "Observation", "rs", Some(&format!("{OBSERVATION}|laboratory"))),
            resources(Context::User, "Goal", "cruds", None),
        ],
        reach: UserReach::Records,
        ..page.clone()
    };
    add(states, "consent-clinician", signed("Marcus Bell, RN"), clinician);
    let identity = Consent { patient: None, ..few(vec![special("openid"), special("profile")]) };
    add(states, "consent-identity", signed("Rosa Alvarez"), identity);
    let long = Consent {
        app: AppFacts {
            maker: Some(LONG.into()),
            returns_to: Some(format!("{}.example", "long-".repeat(11)).into()),
            ..app(LONG)
        },
        patient: Some(PatientFacts { name: LONG.into(), ..rosa }),
        ..small
    };
    add(states, "consent-long", signed(LONG), long);
}

fn grant(id: &str, name: &str) -> GrantFacts {
    GrantFacts {
        id: id.into(),
        app: app(name),
        patient: Some("Rosa Alvarez".into()),
        since: day(),
        last_used: Some(moment()),
        ends: Ends::On(Date::from_unix(1_780_322_700)),
        scopes: usual().into_iter().map(|ask| ask.scope).collect(),
    }
}

fn apps(states: &mut Vec<State>) {
    let places = [Place::Apps, Place::Security];
    let signed = || frame(Some("Lucía Álvarez"), &places);
    let list = |grants, ended| Apps { csrf: "token".into(), grants, has_more: false, ended };
    add(states, "apps-all-ended", signed(), list(Vec::new(), Some(Ended::All)));
    add(states, "apps-none", signed(), list(Vec::new(), None));
    let one = list(vec![grant("g1", "Steady Steps")], Some(Ended::One("Sleep Diary".into())));
    add(states, "apps-one", signed(), one);
    let writing = resources(Context::Patient, "Goal", "cruds", None).scope;
    let unused = GrantFacts {
        app: AppFacts { checked: Checked::ByNobody, maker: None, ..app(LONG) },
        patient: None,
        last_used: None,
        ends: Ends::Never,
        scopes: vec![writing, resources(Context::User, "Observation", "rs", None).scope],
        ..grant("g2", "")
    };
    let session =
        GrantFacts { ends: Ends::WithSession, patient: Some("Ignacio Alvarez".into()), ..grant("g3", "Sleep Diary") };
    let grants = vec![grant("g1", "Steady Steps"), unused.clone(), session.clone()];
    add(
        states,
        "apps-many",
        signed(),
        Apps { has_more: true, ..list(grants, Some(Ended::Part("Sleep Diary".into()))) },
    );
    add(states, "app", signed(), App { csrf: "token".into(), grant: grant("g1", "Steady Steps"), has_others: false });
    add(states, "app-unused", signed(), App { csrf: "token".into(), grant: unused, has_others: false });
    add(states, "app-session", signed(), App { csrf: "token".into(), grant: session, has_others: true });
}

fn security(states: &mut Vec<State>) {
    let signed = || frame(Some("Rosa Alvarez"), &[Place::Apps, Place::Security]);
    let session = |id: &str, device: Option<&str>, is_this| SessionFacts {
        id: id.into(),
        device: device.map(Text::from),
        began: moment(),
        last_used: moment(),
        is_this,
    };
    let page = Security {
        csrf: "token".into(),
        user: "rosa@example.org".into(),
        passkeys: Vec::new(),
        password_since: Some(day()),
        authenticator_since: None,
        outside: Vec::new(),
        recovery_codes_left: 0,
        sessions: vec![session("s1", Some("Firefox on Windows"), true)],
        notice: None,
    };
    add(states, "security", signed(), page.clone());
    let passkeys = vec![
        PasskeyFacts { id: "k1".into(), name: "My phone".into(), since: day(), last_used: Some(moment()) },
        PasskeyFacts { id: "k2".into(), name: LONG.into(), since: day(), last_used: None },
    ];
    let full = Security {
        passkeys,
        password_since: None,
        authenticator_since: Some(day()),
        outside: vec![OutsideFacts { name: "Riverbend Health ID".into(), since: day() }],
        recovery_codes_left: 7,
        sessions: vec![
            session("s1", Some("Chrome on Android"), true),
            session("s2", Some("Safari on iPad"), false),
            session("s3", None, false),
        ],
        notice: Some(SecurityNotice::PasskeyAdded),
        ..page.clone()
    };
    add(states, "security-full", signed(), full.clone());
    let notices = [
        ("removed", SecurityNotice::PasskeyRemoved),
        ("password", SecurityNotice::PasswordChanged),
        ("authenticator", SecurityNotice::AuthenticatorAdded),
        ("no-authenticator", SecurityNotice::AuthenticatorRemoved),
        ("sessions", SecurityNotice::SessionsEnded),
        ("last-way", SecurityNotice::LastWayIn),
    ];
    for (name, notice) in notices {
        let page = Security { notice: Some(notice), recovery_codes_left: 1, ..page.clone() };
        add(states, &format!("security-{name}"), signed(), page);
    }
    let page = ChangePassword {
        csrf: "token".into(),
        user: "rosa@example.org".into(),
        needs_current: true,
        password_characters_min: 12,
        problem: None,
    };
    add(states, "password", signed(), page.clone());
    let wrong = ChangePassword { problem: Some(NewPasswordProblem::WrongCode), ..page.clone() };
    add(states, "password-wrong", signed(), wrong);
    let first = ChangePassword { needs_current: false, problem: Some(NewPasswordProblem::Common), ..page };
    add(states, "password-first", signed(), first);
    let setup = AuthenticatorSetup {
        csrf: "token".into(),
        uri: "otpauth://totp/Maple%20Grove%20Care%20Center:rosa%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Maple%20Grove%20Care%20Center".into(),
        key: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".into(),
        problem: None,
    };
    add(states, "authenticator", signed(), setup.clone());
    add(states, "authenticator-wrong", signed(), AuthenticatorSetup { problem: Some(CodeProblem::Wrong), ..setup });
    let codes =
        ["k4fq-9x2m-7wtn", "p8rd-3hcv-6yjb", "m2zk-5tgw-8nqx", "v7bh-4jrf-2kdp", "x9wn-6cqt-3mzg", "h3yp-8vkd-5rfj"];
    let codes = codes.into_iter().map(Into::into).collect();
    add(states, "recovery-codes", signed(), RecoveryCodes { codes, continuation: None });
}

fn launch(states: &mut Vec<State>) {
    let signed = || frame(Some("Marcus Bell, RN"), &[Place::Launch, Place::Apps, Place::Security]);
    let choose = |filter: Option<&str>, patients, has_more| Launch {
        step: LaunchStep::Patient { filter: filter.map(Text::from), patients, has_more },
    };
    add(states, "launch", signed(), choose(None, Vec::new(), false));
    add(states, "launch-many", signed(), choose(None, many(), true));
    add(states, "launch-not-found", signed(), choose(Some("Zzyzx"), Vec::new(), false));
    let rosa = PatientFacts { detail: Some("Room 102".into()), ..patient("p1", "Rosa Alvarez", "1943-05-17") };
    let encounters = vec![
        EncounterFacts { id: "e1".into(), kind: VisitKind::Nursing, name: None, began: Some(day()), ended: None },
        EncounterFacts {
            id: "e2".into(),
            kind: VisitKind::Other,
            name: Some("Observation before the operation".into()),
            began: Date::parse("2026-02-11"),
            ended: Date::parse("2026-02-20"),
        },
    ];
    let unchecked = AppFacts { checked: Checked::ByNobody, maker: None, ..app("Wound Camera") };
    let intent = |word: &str, name: &str| IntentFacts { word: word.into(), name: name.into() };
    let of = |id: &str, app, intents| OpenableApp { id: id.into(), app, intents };
    let tasks = vec![intent("gait-review", "Look at the walk"), intent("fall-risk", "Check for falls")];
    let choice = vec![
        of("c1", app("Gait Lab for Clinicians"), tasks),
        of("c2", unchecked, Vec::new()),
        of("c3", app(LONG), vec![intent("long", LONG)]),
    ];
    let step = LaunchStep::App { csrf: "token".into(), patient: rosa.clone(), encounters, apps: choice };
    add(states, "launch-app", signed(), Launch { step });
    let step = LaunchStep::App { csrf: "token".into(), patient: rosa, encounters: Vec::new(), apps: Vec::new() };
    add(states, "launch-no-app", signed(), Launch { step });
}

fn clients(states: &mut Vec<State>) {
    let signed = || frame(Some("Priya Natarajan"), &[Place::Clients, Place::Security]);
    let facts = |name: &str, kind| ClientFacts {
        id: "steady-steps-4f1c".into(),
        app: app(name),
        kind,
        since: day(),
        is_disabled: false,
    };
    add(states, "clients-none", signed(), Clients { clients: Vec::new() });
    let mut all: Vec<ClientFacts> = ClientKind::ALL.iter().map(|kind| facts("Steady Steps", *kind)).collect();
    all.push(ClientFacts { is_disabled: true, ..facts(LONG, ClientKind::Public) });
    add(states, "clients", signed(), Clients { clients: all });
    let form = ClientRegistration { csrf: "token".into(), typed: Registered::default(), problems: Vec::new() };
    add(states, "client-new", signed(), form.clone());
    let problem = |field, reason| RegistrationProblem { field, reason };
    let fragment = "https://steadysteps.example/callback#x".into();
    let wrong = ClientRegistration {
        typed: Registered {
            name: "Steady Steps".into(),
            kind: Some(ClientKind::Public),
            redirect_uris: "https://steadysteps.example/callback#x\ncom.northlight.steady:/callback".into(),
            scopes: "launch/patient patient/Observation.sr".into(),
            is_verified: true,
            ..Registered::default()
        },
        problems: vec![
            problem(fields::REDIRECT_URIS, RegistrationReason::Return(ReturnReason::Fragment, fragment)),
            problem(fields::SCOPES, RegistrationReason::ScopeShape("patient/Observation.sr".into())),
            problem("", RegistrationReason::Fapi2Kind),
        ],
        ..form
    };
    add(states, "client-new-wrong", signed(), wrong);
    let made = ClientRegistered {
        id: "steady-steps-4f1c".into(),
        name: "Steady Steps".into(),
        secret: Some("q2Yt8mXw4Zr6Vb1Nc9Kd3Lf7Hg5Js0Pa2Ue4Io6Ry8T".into()),
        is_second: false,
    };
    add(states, "client-made", signed(), made.clone());
    add(states, "client-made-second", signed(), ClientRegistered { is_second: true, ..made.clone() });
    add(states, "client-made-public", signed(), ClientRegistered { secret: None, ..made });
    let secret = SecretFacts { since: day(), last_used: Some(moment()) };
    let client = Client {
        csrf: "token".into(),
        client: facts("Steady Steps", ClientKind::ConfidentialSymmetric),
        redirect_uris: vec!["https://steadysteps.example/callback".into()],
        intents: vec!["gait-review=Look at the walk".into()],
        purposes_of_use: Vec::new(),
        scopes: vec![
            "launch/patient".into(),
            "patient/*.rs".into(),
            format!("patient/Observation.rs?category={OBSERVATION}|vital-signs").into(),
        ],
        secrets: vec![secret.clone()],
    };
    add(states, "client", signed(), client.clone());
    let second = SecretFacts { last_used: None, ..secret };
    let two = Client { secrets: vec![second.clone(), second], ..client.clone() };
    add(states, "client-two-secrets", signed(), two);
    let stopped = ClientFacts { is_disabled: true, ..facts("Steady Steps", ClientKind::BackendService) };
    let purposes_of_use = vec!["HPAYMT".into(), "HRESCH".into()];
    let stopped = Client { client: stopped, redirect_uris: Vec::new(), secrets: Vec::new(), purposes_of_use, ..client };
    add(states, "client-stopped", signed(), stopped);
}

fn emergency(states: &mut Vec<State>) {
    let signed = || frame(Some("Marcus Bell, RN"), &[Place::Launch, Place::Emergency, Place::Apps, Place::Security]);
    let page = |step| Emergency { csrf: "token".into(), minutes: 60, step };
    let none = EmergencyStep::Patient {
        open: Vec::new(),
        has_missed: false,
        is_incomplete: false,
        is_full: false,
        is_closed: false,
    };
    add(states, "emergency", signed(), page(none));
    let open = |case: &str, name: &str| OpenRecord { case: case.into(), patient: name.into(), until: moment() };
    let some = vec![open("c1", "Rosa Alvarez"), open("c2", LONG)];
    let missed = EmergencyStep::Patient {
        open: some.clone(),
        has_missed: true,
        is_incomplete: false,
        is_full: false,
        is_closed: false,
    };
    add(states, "emergency-not-found", signed(), page(missed));
    let all = [some, vec![open("c3", "Rolf Diaz")]].concat();
    let full =
        EmergencyStep::Patient { open: all, has_missed: false, is_incomplete: true, is_full: true, is_closed: false };
    add(states, "emergency-full", signed(), page(full));
    let closed = EmergencyStep::Patient {
        open: Vec::new(),
        has_missed: false,
        is_incomplete: false,
        is_full: false,
        is_closed: true,
    };
    add(states, "emergency-closed", signed(), page(closed));
    let reason = |name: &str, reason, words: &str, problem| EmergencyStep::Reason {
        patient: patient("p1", name, "1943-05-17"),
        reason,
        words: words.into(),
        problem,
    };
    add(states, "emergency-reason", signed(), page(reason("Rosa Alvarez", None, "", None)));
    let wrong = reason(LONG, Some(EmergencyReason::StandIn), "Help", Some(NoteProblem::Missing));
    add(states, "emergency-reason-wrong", signed(), page(wrong));
    let wordy = "She was found on the floor. ".repeat(40);
    let wordy = reason("Rosa Alvarez", Some(EmergencyReason::Emergency), &wordy, Some(NoteProblem::TooLong(1_000)));
    add(states, "emergency-reason-long", signed(), page(wordy));
}

fn cases(states: &mut Vec<State>) {
    let signed = |count| frame(Some("Ines Okafor"), &[Place::Cases(count), Place::Apps, Place::Security]);
    let case = |id: &str, who: &str, name: &str, state| CaseFacts {
        id: id.into(),
        who: who.into(),
        patient: name.into(),
        reason: EmergencyReason::Emergency,
        since: moment(),
        state,
    };
    add(
        states,
        "cases-none",
        signed(0),
        Cases { waiting: Vec::new(), count: 0, done: Vec::new(), days: 3, is_full: false },
    );
    let one = vec![case("c1", "Marcus Bell, RN", "Rosa Alvarez", CaseState::Open)];
    add(states, "cases-one", signed(1), Cases { waiting: one, count: 1, done: Vec::new(), days: 3, is_full: false });
    let waiting = vec![
        case("c1", "Marcus Bell, RN", "Rosa Alvarez", CaseState::Late),
        case("c2", LONG, LONG, CaseState::FollowUp),
        case("c3", "Marcus Bell, RN", "Rolf Diaz", CaseState::Waits),
    ];
    let done = vec![
        case("c4", "Marcus Bell, RN", "Rosa Alvarez", CaseState::Justified),
        case("c5", "Ada Quist, MD", "Rosa Alvarez", CaseState::NotJustified),
    ];
    let full = Cases { waiting: waiting.clone(), count: 57, done: Vec::new(), days: 3, is_full: true };
    add(states, "cases-full", signed(57), full);
    add(states, "cases", signed(57), Cases { waiting, count: 57, done, days: 3, is_full: false });
    let look =
        |act, what: &[&str]| LookFacts { at: moment(), act, what: what.iter().map(|one| (*one).into()).collect() };
    let looks = vec![
        look(Act::Searched, &["Observation/o1", "Observation/o2", "Observation/o3", "Observation/o4"]),
        look(Act::Read, &["MedicationRequest/m1"]),
        look(Act::Wrote, &["Procedure/0f3c1c1e-6a51-4ec1-9d1a-52c36b1f0c55"]),
    ];
    let review =
        |verdict, note: &str| ReviewFacts { by: "Ines Okafor".into(), at: moment(), verdict, note: note.into() };
    let words = "She was found on the floor and could not speak. I had to know what she takes for her heart.";
    let page = CaseReview {
        csrf: "token".into(),
        facts: case("c1", "Marcus Bell, RN", "Rosa Alvarez", CaseState::Waits),
        words: words.into(),
        until: moment(),
        looks: Some(looks),
        has_more: false,
        reviews: Vec::new(),
        may_judge: MayJudge::Yes,
        problem: None,
        verdict: None,
        note: "".into(),
    };
    add(states, "case", signed(2), page.clone());
    let follow = CaseReview {
        facts: case("c1", LONG, LONG, CaseState::FollowUp),
        looks: Some(Vec::new()),
        reviews: vec![review(CaseVerdict::FollowUp, "I asked the head of the ward.")],
        problem: Some(NoteProblem::Missing),
        verdict: Some(CaseVerdict::NotJustified),
        ..page.clone()
    };
    let long = CaseReview {
        problem: Some(NoteProblem::TooLong(1_000)),
        note: "I asked the head of the ward. ".repeat(40).as_str().into(),
        ..follow.clone()
    };
    add(states, "case-wrong", signed(2), follow);
    add(states, "case-note-long", signed(2), long);
    let own = CaseReview { may_judge: MayJudge::Own, looks: None, ..page.clone() };
    add(states, "case-own", signed(2), own);
    let done = CaseReview {
        facts: case("c1", "Marcus Bell, RN", "Rosa Alvarez", CaseState::NotJustified),
        reviews: vec![review(CaseVerdict::NotJustified, "She was not on that ward.")],
        may_judge: MayJudge::Done,
        has_more: true,
        ..page
    };
    add(states, "case-done", signed(1), done);
}

fn partners(states: &mut Vec<State>) {
    let signed = || frame(Some("Priya Natarajan"), &[Place::Clients, Place::Partners, Place::Security]);
    let community = |name: &str, life, partners| CommunityFacts {
        name: name.into(),
        uri: "https://trust.example.org/communities/care".into(),
        ends: day(),
        life,
        partners,
    };
    let partner = |name: &str, state| PartnerFacts {
        id: "2f6c1e".into(),
        name: name.into(),
        uri: "https://northlight.example.org/fhir".into(),
        since: day(),
        is_app: false,
        state,
    };
    let page = |communities| Partners { csrf: "token".into(), communities };
    add(states, "partners-none", signed(), page(Vec::new()));
    let care = |partners| community("Care Network of the Lakes", CertificateLife::Long, partners);
    add(states, "partners-nobody", signed(), page(vec![care(Vec::new())]));
    let joined = vec![
        partner("Northlight Health Plan", PartnerState::Works),
        PartnerFacts { is_app: true, ..partner("Steady Steps", PartnerState::Waits) },
        partner("Harbor Hospital", PartnerState::Revoked),
        partner("Old Mill Clinic", PartnerState::Ended),
        partner("Pine Street Pharmacy", PartnerState::Unfit),
        PartnerFacts {
            uri: "https://x.example.org/a-very-long-path/that-goes-on/and-on/fhir".into(),
            ..partner(LONG, PartnerState::Stopped)
        },
    ];
    let other =
        community("Payers of the State", CertificateLife::EndsSoon, vec![partner("Harbor", PartnerState::Works)]);
    let gone = community("A Test", CertificateLife::Ended, Vec::new());
    add(states, "partners", signed(), page(vec![care(joined), other, gone]));
}

fn ends(states: &mut Vec<State>) {
    let done = [
        ("signed-out", DoneWhat::SignedOut, Next::SignIn(None)),
        ("account", DoneWhat::AccountMade, Next::Security),
        ("password", DoneWhat::PasswordChanged, Next::SignIn(Some("handle".into()))),
        ("not-shared", DoneWhat::NotShared("Steady Steps".into()), Next::Close),
    ];
    for (name, what, next) in done {
        add(states, &format!("done-{name}"), frame(None, &[]), Done { what, next });
    }
    let problems = [
        ("unknown-app", ProblemWhat::UnknownApp),
        ("wrong-return-address", ProblemWhat::WrongReturnAddress),
        ("wrong-request", ProblemWhat::WrongRequest),
        ("expired", ProblemWhat::Expired),
        ("form-expired", ProblemWhat::FormExpired),
        ("invitation-gone", ProblemWhat::InvitationGone),
        ("launch-gone", ProblemWhat::LaunchGone),
        ("no-patient", ProblemWhat::NoPatient),
        ("account-disabled", ProblemWhat::AccountDisabled),
        ("not-allowed", ProblemWhat::NotAllowed),
        ("not-found", ProblemWhat::NotFound),
        ("too-many", ProblemWhat::TooMany(2)),
        ("unavailable", ProblemWhat::Unavailable),
        ("fault", ProblemWhat::Fault),
    ];
    for (name, what) in problems {
        let reference = Some("01J9Z8-4F7Q-2KXD".into());
        add(states, &format!("problem-{name}"), frame(None, &[]), Problem { what, reference });
    }
}
