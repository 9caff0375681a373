//! Forms: no parameter twice, empty counts as absent.

use super::{Form, FormError};
use proptest::prelude::*;

fn error(body: &[u8]) -> Option<FormError> {
    Form::parse(body).err()
}

#[test]
fn values_are_decoded() {
    let form =
        Form::parse(b"scope=system%2FPatient.rs+system/Observation.rs%3Fcategory%3Da%257Cb&empty=&flag&&x=%C3%ABa=b")
            .unwrap();
    assert_eq!(form.value("scope"), Some("system/Patient.rs system/Observation.rs?category=a%7Cb"));
    assert_eq!(form.value("x"), Some("\u{eb}a=b"));
    // SPEC: RFC 6749 section 3.2: a parameter without a value counts as absent.
    assert_eq!(form.value("empty"), None);
    assert_eq!(form.value("flag"), None);
    assert_eq!(form.value("absent"), None);
    assert!(Form::parse(b"").unwrap().value("").is_none());
}

#[test]
fn what_breaks_the_form_is_refused() {
    assert_eq!(error(b"a=1&a=1"), Some(FormError::Repeated));
    assert_eq!(error(b"a=1&%61=2"), Some(FormError::Repeated));
    assert_eq!(error(b"a=&a=2"), Some(FormError::Repeated));
    assert_eq!(error(b"a=%"), Some(FormError::Encoding));
    assert_eq!(error(b"a=%4"), Some(FormError::Encoding));
    assert_eq!(error(b"a=%g1"), Some(FormError::Encoding));
    assert_eq!(error(b"a=%ff"), Some(FormError::Encoding));
    assert_eq!(error(b"a=\xff"), Some(FormError::Encoding));
    let many = |count: usize| (0..count).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
    assert_eq!(error(many(65).as_bytes()), Some(FormError::TooMany));
    // A list of choices may be longer, and each field come again.
    let choices = Form::parse_choices(b"scope=a&scope=b&scope=a").unwrap();
    assert_eq!(choices.values("scope").collect::<Vec<_>>(), ["a", "b", "a"]);
    assert_eq!(choices.repeated().collect::<Vec<_>>(), ["scope"]);
    assert!(Form::parse_choices(many(crate::limits::FORM_CHOICES_MAX).as_bytes()).is_ok());
    let more = many(crate::limits::FORM_CHOICES_MAX + 1);
    assert_eq!(Form::parse_choices(more.as_bytes()).err(), Some(FormError::TooMany));
}

proptest! {
    /// Row F67.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[a-z=&%0-9+]{0,80}") {
        let _ = Form::parse(&bytes);
        let _ = Form::parse(text.as_bytes());
    }

    #[test]
    fn encoded_text_comes_back(value in "\\PC{1,40}") {
        let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let form = Form::parse(format!("a={encoded}").as_bytes()).unwrap();
        prop_assert_eq!(form.value("a"), Some(value.as_str()));
    }
}
