//! Every page in every state and language keeps the rules of the house (`docs/pages.md`); the text of the pages that
//! people meet first is kept to the letter.
#![expect(clippy::expect_used, reason = "a test that cannot go on stops, its helpers too")]

mod html;
mod reading;
#[path = "../../examples/gallery/states.rs"]
mod states;

use html::Piece;
use pages::{Language, View, assets, limits, page};
use states::State;
use std::collections::BTreeSet;

/// Every state in every language, as HTML.
fn each(mut check: impl FnMut(&str, &State, &str)) {
    for state in states::all() {
        for language in Language::ALL {
            let html = page(&state.frame, &state.view, language);
            check(&format!("{}/{}", language.tag(), state.name), &state, &html);
        }
    }
}

fn of(name: &str, language: Language) -> String {
    let state = states::all().into_iter().find(|state| state.name == name).expect(name);
    page(&state.frame, &state.view, language)
}

#[test]
fn every_page_is_seen_in_some_state() {
    let mut seen = BTreeSet::new();
    for state in states::all() {
        let shown = format!("{:?}", state.view);
        seen.insert(shown.split('(').next().unwrap_or_default().to_owned());
    }
    // As many as `View` has variants; a new page needs a state in the gallery.
    assert_eq!(seen.len(), 36, "{seen:?}");
}

#[test]
fn every_page_has_one_headline_one_main_part_a_language_and_a_title() {
    each(|name, _, html| {
        let pieces = html::read(html);
        for once in ["h1", "main", "title", "header"] {
            assert_eq!(pieces.iter().filter(|piece| piece.is_start(once)).count(), 1, "{name}: {once}");
        }
        let root = pieces.iter().find(|piece| piece.is_start("html")).expect("a root");
        assert_eq!(root.attribute("lang"), name.split('/').next(), "{name}");
        let title = html.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
        assert!(title.is_some_and(|title| title.len() > " – Maple Grove Care Center".len()), "{name}: {title:?}");
        for piece in &pieces {
            assert!(!matches!(piece, Piece::Text(text) if text.contains('{')), "{name}: not filled: {piece:?}");
        }
    });
}

#[test]
fn a18_every_form_that_is_sent_carries_its_token() {
    each(|name, _, html| {
        let mut form: Option<(String, bool)> = None;
        for piece in html::read(html) {
            if piece.is_start("form") && piece.attribute("method") == Some("post") {
                form = Some((piece.attribute("action").unwrap_or_default().to_owned(), false));
            }
            if let (Some((_, has_token)), Some("csrf")) = (&mut form, piece.attribute("name")) {
                *has_token = piece.attribute("value") == Some("token");
            }
            if piece == Piece::End("form".to_owned())
                && let Some((action, has_token)) = form.take()
            {
                assert!(has_token, "{name}: {action}");
            }
        }
    });
}

#[test]
fn a18_nothing_is_inline_and_every_address_is_ours() {
    each(|name, _, html| {
        for piece in html::read(html) {
            let Piece::Start(tag, attributes) = &piece else { continue };
            assert!(!matches!(tag.as_str(), "style" | "iframe" | "object" | "base"), "{name}: {tag}");
            assert!(tag != "script" || piece.attribute("nonce").is_some(), "{name}");
            for (attribute, value) in attributes {
                assert!(attribute != "style" && !attribute.starts_with("on"), "{name}: {attribute}");
                if matches!(attribute.as_str(), "href" | "src" | "action") {
                    let is_ours = value.starts_with('/') && !value.starts_with("//");
                    let is_other = value == "#main" || value.starts_with("otpauth://totp/");
                    assert!(is_ours || is_other, "{name}: {attribute}={value}");
                }
            }
        }
    });
}

#[test]
fn every_field_has_a_label_every_button_words_every_id_is_one() {
    each(|name, _, html| {
        let pieces = html::read(html);
        let mut ids = BTreeSet::new();
        let labels: BTreeSet<&str> = pieces.iter().filter_map(|piece| piece.attribute("for")).collect();
        let mut inside_label = 0;
        for (at, piece) in pieces.iter().enumerate() {
            if let Some(id) = piece.attribute("id") {
                assert!(ids.insert(id.to_owned()), "{name}: twice: {id}");
            }
            inside_label += i32::from(piece.is_start("label")) - i32::from(*piece == Piece::End("label".to_owned()));
            let is_hidden = piece.attribute("type") == Some("hidden") || piece.attribute("hidden").is_some();
            if ["input", "select", "textarea"].iter().any(|tag| piece.is_start(tag)) && !is_hidden {
                let is_labelled = piece.attribute("id").is_some_and(|id| labels.contains(id)) || inside_label > 0;
                assert!(is_labelled, "{name}: {piece:?}");
            }
            if piece.is_start("button") {
                let inside = pieces.iter().skip(at).take_while(|piece| **piece != Piece::End("button".to_owned()));
                let has_words =
                    inside.into_iter().any(|piece| matches!(piece, Piece::Text(text) if !text.trim().is_empty()));
                assert!(has_words, "{name}: {piece:?}");
            }
        }
        for piece in &pieces {
            for attribute in ["aria-describedby", "aria-labelledby"] {
                for id in piece.attribute(attribute).unwrap_or_default().split_whitespace() {
                    assert!(ids.contains(id), "{name}: {attribute} {id}");
                }
            }
        }
    });
}

#[test]
fn every_page_is_small() {
    let script = assets::SCRIPT.body.len();
    let shared = assets::STYLE.body.len() + assets::ICON.body.len() + script;
    each(|name, _, html| {
        assert!(html.len() + shared < limits::PAGE_BYTES_MAX, "{name}: {} bytes", html.len() + shared);
    });
}

#[test]
fn b27_a_hostile_name_is_words_and_nothing_else() {
    for language in Language::ALL {
        let html = of("consent-unchecked", language);
        assert!(html.contains("&lt;b&gt;Maple Grove&lt;/b&gt; Official App"));
        assert!(!html.contains("<script>") && !html.contains('\u{202e}'));
    }
}

/// The `checked` state of each switch, by the value of its field.
fn switches(html: &str) -> Vec<(String, bool)> {
    let pieces = html::read(html);
    let boxes = pieces.iter().filter(|piece| matches!(piece.attribute("name"), Some("scope" | "group")));
    let value = |piece: &Piece| piece.attribute("value").unwrap_or_default().to_owned();
    boxes.map(|piece| (value(piece), piece.attribute("checked").is_some())).collect()
}

#[test]
fn b27_e2_each_scope_can_be_declined_and_private_ones_are_off() {
    let html = of("consent", Language::English);
    let switches = switches(&html);
    let state = |value: &str| switches.iter().find(|(one, _)| one == value).map(|(_, is_on)| *is_on);
    assert_eq!(state("patient/MedicationRequest.rs"), Some(true));
    assert_eq!(state("medicines"), Some(true));
    assert_eq!(state("patient/DocumentReference.rs"), Some(false));
    assert_eq!(state("openid"), Some(true));
    let scopes = switches.iter().filter(|(value, _)| value.contains('/') || value == "openid" || value == "fhirUser");
    assert_eq!(scopes.count(), 22, "each scope has a switch of its own");
}

#[test]
fn b27_e3_offline_access_is_told_when_it_is_asked_for_and_not_otherwise() {
    let told = "the app can look by itself, also while you do not use it";
    assert!(of("consent", Language::English).contains(told));
    assert!(of("consent-unchecked", Language::English).contains(told));
    assert!(!of("consent-small", Language::English).contains(told));
}

#[test]
fn b27_an_app_that_nobody_checked_stands_out() {
    let notice = "notice attention";
    assert!(of("consent-unchecked", Language::English).contains(notice));
    assert!(!of("consent", Language::English).contains(notice));
    assert!(of("consent", Language::English).contains("has checked this app"));
}

#[test]
fn b27_writing_and_other_records_stand_apart_and_off() {
    let clinician = of("consent-clinician", Language::English);
    assert!(clinician.contains("What may it change?") && clinician.contains("It may see, add, change and delete."));
    assert!(switches(&clinician).contains(&("user/Goal.cruds".to_owned(), false)));
    let caregiver = of("consent-caregiver", Language::English);
    assert!(caregiver.contains("Other people’s records"));
    assert!(switches(&caregiver).contains(&("user/Encounter.rs".to_owned(), false)));
}

#[test]
fn sharing_and_not_sharing_look_alike() {
    let html = of("consent", Language::English);
    for value in ["share", "deny"] {
        assert!(html.contains(&format!("<button class=\"equal\" name=\"decision\" value=\"{value}\">")), "{value}");
    }
}

/// What stands on the pages, with all that is put together there, is as easy to read as the texts that it is made of.
/// Left out: what administrators and privacy officers alone read.
#[test]
fn pages_are_for_readers_of_twelve() {
    let for_staff = |view: &View| {
        matches!(
            view,
            View::Client(_)
                | View::Clients(_)
                | View::ClientRegistration(_)
                | View::ClientRegistered(_)
                | View::Partners(_)
                | View::Officer(_)
                | View::Events(_)
                | View::EventDetail(_)
                | View::Unusual(_)
                | View::UnusualOne(_)
        )
    };
    for (language, measure) in Language::ALL.into_iter().zip(&reading::MEASURES) {
        let (mut all, mut of_choices) = (Vec::new(), Vec::new());
        for state in states::all().iter().filter(|state| !for_staff(&state.view)) {
            let lines = html::prose(&page(&state.frame, &state.view, language));
            for line in &lines {
                for sentence in reading::sentences(line) {
                    let words = sentence.split_whitespace().count();
                    assert!(words <= reading::SENTENCE_WORDS_MAX, "{}: {words} words: {sentence}", state.name);
                }
            }
            if state.name.starts_with("choice") {
                of_choices.extend(lines.iter().cloned());
            }
            all.extend(lines);
        }
        measure.check(all.iter().map(String::as_str));
        measure.check(of_choices.iter().map(String::as_str));
    }
}

#[test]
fn the_language_switch_leads_to_the_same_page() {
    let html = of("consent", Language::English);
    assert!(html.contains("href=\"/account/consent?continuation=handle&amp;language=es\""));
    assert!(of("consent", Language::Spanish).contains("continuation=handle&amp;language=en"));
}

#[test]
fn b26_a_wrong_name_and_a_wrong_password_read_the_same() {
    // There is one reason for both: the page cannot tell them apart.
    let html = of("sign-in-wrong", Language::English);
    assert!(html.contains("The name or the password is not right."));
}

#[test]
fn a_secret_is_on_the_page_that_shows_it_and_on_no_other() {
    each(|name, state, html| {
        let shows = matches!(&state.view, View::ClientRegistered(page) if page.secret.is_some());
        assert_eq!(html.contains("q2Yt8mXw4Zr6Vb1Nc9Kd3Lf7Hg5Js0Pa2Ue4Io6Ry8T"), shows, "{name}");
    });
}

#[test]
fn debug_prints_no_name_no_birthday_and_no_secret() {
    for state in states::all() {
        let printed = format!("{:?} {:?}", state.view, state.frame);
        for word in ["Rosa", "1943", "Alvarez", "\"token\"", "\"handle\"", "q2Yt8m", "k4fq", "otpauth"] {
            assert!(!printed.contains(word), "{}: {word}", state.name);
        }
    }
}

#[test]
fn the_words_of_the_first_pages_are_kept() {
    let names = [
        "sign-in-full",
        "second-factor-wrong",
        "passkey",
        "invitation-caregiver",
        "recovery",
        "patient-two",
        "patient-many",
        "consent-caregiver",
        "consent-unchecked",
        "apps-many",
        "app-unused",
        "security-full",
        "launch-app",
        "client-new-wrong",
        "client-made",
        "client-two-secrets",
        "recovery-codes",
        "done-not-shared",
        "problem-form-expired",
    ];
    for language in Language::ALL {
        let outlines: Vec<String> =
            names.iter().map(|name| format!("===== {name}\n{}", html::outline(&of(name, language)))).collect();
        insta::assert_snapshot!(language.tag(), outlines.join("\n\n"));
    }
}
