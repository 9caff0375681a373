//! Tests of `breached`.

use super::*;
use crate::random;

struct Text(Vec<u8>);

impl ReadAt for Text {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let rest = &self.0[usize::try_from(offset).unwrap().min(self.0.len())..];
        // Short reads, as an operating system may give them.
        let some = rest.len().min(into.len()).min(100);
        into[..some].copy_from_slice(&rest[..some]);
        Ok(some)
    }
}

fn check(text: &str) -> Result<(), Weak> {
    Rules::default().check(&Password::typed(text).unwrap(), &["ana.ruiz", "Ana Ruiz Delgado"])
}

#[test]
fn what_everybody_chooses_is_refused_in_every_spelling() {
    for common in [
        "passwordpassword",
        "P@ssw0rd12345",
        "password2026!",
        "Password!!!!!!!!",
        "qwertyuiop123",
        "1q2w3e4r5t6y7u",
        "abcdefghijklmnop",
        "zyxwvutsrqponm",
        "123456789012",
        "000000000000",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "Welcome123456",
        "iloveyou1234567",
        "Contraseña1234",
        "anaruiz123456",
        "DelgadoRuizAna1",
        "ana ruiz delgado",
        "Handrail!Handrail!",
        "Summer2026Summer",
        "31121950311219",
        "!!!!!!!!!!!!!!!!",
        "letmein letmein",
        "xyxyxyxyxyxyxy",
    ] {
        assert_eq!(check(common), Err(Weak::Common), "{common}");
    }
    assert_eq!(check("k7#mQ2x"), Err(Weak::Short));
    for fine in ["three grey herons", "lluvia en la cocina", "k7#mQ2xv!pL9", "mi gato come pan", "Zug um sieben!"] {
        assert_eq!(check(fine), Ok(()), "{fine}");
    }
}

#[test]
fn a_line_of_the_list_is_found_wherever_it_stands() {
    // Sums of many passwords, sorted as the file is.
    let words: Vec<String> = (0..500).map(|n| format!("three grey herons {n}")).collect();
    let mut sums: Vec<(String, &String)> = words
        .iter()
        .map(|word| (random::hex(&password::sha1(&Password::typed(word).unwrap())).to_ascii_uppercase(), word))
        .collect();
    sums.sort();
    for (name, end, last) in [("lf", "\n", "\n"), ("crlf", "\r\n", "\r\n"), ("no end", "\n", "")] {
        // Every second one is in the file.
        let lines: Vec<String> = sums.iter().step_by(2).map(|(sum, _)| format!("{sum}:{}", sum.len() * 31)).collect();
        let rules = Rules::new(Some(Arc::new(Text((lines.join(end) + last).into_bytes()))));
        for (at, (_, word)) in sums.iter().enumerate() {
            let expected = if at % 2 == 0 { Err(Weak::Breached) } else { Ok(()) };
            assert_eq!(rules.check(&Password::typed(word).unwrap(), &[]), expected, "{name} {at}");
        }
    }
}

#[test]
fn a_list_that_is_none_refuses_nobody_and_ends() {
    let fine = Password::typed("three grey herons").unwrap();
    for text in [String::new(), "\n\n\n".into(), "x".repeat(10_000), "no list\nat all\n".repeat(100)] {
        assert_eq!(Rules::new(Some(Arc::new(Text(text.into_bytes())))).check(&fine, &[]), Ok(()));
    }
}
