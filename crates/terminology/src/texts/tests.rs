//! What is put in is found; case is folded only when asked.

use super::{Index, Texts};

#[test]
fn texts_are_found_by_their_text() {
    let mut texts = Texts::default();
    let mut index = Index::new(false);
    for number in 0..2000u32 {
        let at = texts.push(&format!("code-{number}")).expect("room");
        index.insert(&texts, at);
    }
    let again = Index::of(&texts, true);
    for number in 0..2000u32 {
        assert_eq!(index.find(&texts, &format!("code-{number}")), Some(number));
        assert_eq!(index.find(&texts, &format!("Code-{number}")), None);
        assert_eq!(again.find(&texts, &format!("CODE-{number}")), Some(number));
    }
    assert_eq!(index.find(&texts, "code-2000"), None);
    assert_eq!(Index::new(false).find(&Texts::default(), ""), None);
}
