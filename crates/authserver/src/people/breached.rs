//! Passwords that are too common: our own rules, and an operator's list of breached ones. SPEC: NIST SP 800-63B-4
//! section 3.1.1.2; row B26.
//!
//! The rules take away what anybody would guess (common words in any spelling, runs of the alphabet, the digits and the
//! keyboard, repetitions, the person's own names) and count what is left. The list is the sorted file of SHA-1 sums that
//! Have I Been Pwned gives out (`SUM:COUNT` lines); a look-up reads some forty pieces of it, however large it is.

use super::password::{self, Password};
use crate::limits::people as limits;
use std::{io, sync::Arc};

/// A file, as much as a look-up needs of it: the binary opens it.
pub trait ReadAt: Send + Sync {
    /// Its length, bytes.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn length(&self) -> io::Result<u64>;
    /// Reads from `offset` on; 0 at its end.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
}

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weak {
    /// Too few characters.
    Short,
    /// Nothing but what anybody would guess.
    Common,
    /// It stands in a list of breached ones.
    Breached,
}

/// The rules with the operator's list.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    list: Option<Arc<dyn ReadAt>>,
}

impl Rules {
    /// `list`: the operator's file.
    pub(crate) fn new(list: Option<Arc<dyn ReadAt>>) -> Self {
        Self { list }
    }

    /// Whether this person may have this password. Blocks on the disk.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check(&self, password: &Password, names: &[&str]) -> Result<(), Weak> {
        if password.expose().chars().count() < limits::PASSWORD_CHARS_MIN {
            return Err(Weak::Short);
        }
        if free(password.expose(), names) < limits::PASSWORD_FREE_CHARS_MIN {
            return Err(Weak::Common);
        }
        let Some(list) = &self.list else { return Ok(()) };
        match stands_in(&**list, &password::sha1(password)) {
            Ok(true) => Err(Weak::Breached),
            Ok(false) => Ok(()),
            Err(why) => {
                // The rules stand; a person in front of the page cannot mend a disk.
                tracing::error!(%why, "the list of breached passwords cannot be read");
                Ok(())
            }
        }
    }
}

/// What people choose most, as stems: any spelling with digits for letters, any case, anything around it.
const STEMS: [&str; 46] = [
    "password",
    "passwort",
    "contrasena",
    "passcode",
    "secret",
    "secreto",
    "letmein",
    "welcome",
    "bienvenido",
    "login",
    "signin",
    "access",
    "acceso",
    "admin",
    "master",
    "hello",
    "hola",
    "iloveyou",
    "teamo",
    "tequiero",
    "love",
    "amor",
    "princess",
    "princesa",
    "sunshine",
    "monkey",
    "dragon",
    "football",
    "futbol",
    "baseball",
    "soccer",
    "batman",
    "superman",
    "starwars",
    "pokemon",
    "jesus",
    "change",
    "cambia",
    "default",
    "health",
    "salud",
    "hospital",
    "nurse",
    "patient",
    "paciente",
    "handrail",
];

/// Months, days and seasons, which go with a year.
const TIMES: [&str; 22] = [
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "spring",
    "summer",
    "autumn",
    "winter",
    "monday",
    "friday",
    "sunday",
    "verano",
    "invierno",
    "enero",
    "agosto",
];

/// Runs that are typed without thinking, each also backwards.
const RUNS: [&str; 9] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// Characters that nobody guesses at once: what is left when all that is common is taken away. A piece that was taken
/// away counts as one.
fn free(password: &str, names: &[&str]) -> usize {
    let lower: Vec<char> = password.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    // What was seen before counts once: `abcabcabc` has three.
    let mut counted: Vec<&[char]> = Vec::new();
    let mut free = 0;
    let mut rest = lower.as_slice();
    let words: Vec<Vec<char>> = STEMS
        .iter()
        .chain(&TIMES)
        .map(|word| (*word).to_owned())
        .chain(names.iter().flat_map(|name| parts(name)))
        .map(|word| word.chars().collect())
        .collect();
    while let Some((first, after)) = rest.split_first() {
        let taken = longest_word(rest, &words).max(longest_run(rest)).max(longest_same(rest)).max(year(rest));
        let seen = longest_seen(rest, &counted);
        let length = taken.max(seen);
        let (piece, beyond) = rest.split_at_checked(length.max(1)).unwrap_or((rest, &[]));
        if length > 1 {
            free += usize::from(taken > seen);
            rest = beyond;
        } else {
            free += usize::from(!is_filler(*first, after));
            rest = after;
        }
        counted.push(piece);
    }
    // Digits are a tenth of what letters are: a date, a telephone number.
    if lower.iter().all(char::is_ascii_digit) { free / 3 } else { free }
}

/// A digit or mark at the end, or between: what rules of composition made people add.
fn is_filler(first: char, after: &[char]) -> bool {
    !first.is_alphanumeric() && after.first().is_none_or(|next| !next.is_alphabetic())
}

/// The parts of a name that are long enough to say something.
fn parts(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let all = lower.split(|c: char| !c.is_alphanumeric());
    all.filter(|part| part.chars().count() >= 3).map(str::to_owned).collect()
}

/// The letter that a digit or mark stands for.
fn plain(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' | 'é' => 'e',
        '4' | '@' | 'á' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        '8' => 'b',
        'ñ' => 'n',
        'í' => 'i',
        'ó' => 'o',
        'ú' => 'u',
        other => other,
    }
}

/// Characters of the longest of these words that the text begins with.
fn longest_word(text: &[char], words: &[Vec<char>]) -> usize {
    let begins = |word: &Vec<char>| {
        text.len() >= word.len() && text.iter().zip(word).all(|(typed, c)| plain(*typed) == plain(*c))
    };
    words.iter().filter(|word| begins(word)).map(Vec::len).max().unwrap_or(0)
}

/// Characters of the longest run (three and more) that the text begins with.
fn longest_run(text: &[char]) -> usize {
    let follows = |one: char, next: char| {
        RUNS.iter().any(|run| {
            let pairs = || run.chars().zip(run.chars().skip(1));
            pairs().any(|(a, b)| (a, b) == (one, next) || (b, a) == (one, next))
        })
    };
    let pairs = text.iter().zip(text.iter().skip(1));
    let length = 1 + pairs.take_while(|(one, next)| follows(**one, **next)).count();
    if length >= 3 { length } else { 0 }
}

/// Four, when the text begins with a year of somebody's life.
fn year(text: &[char]) -> usize {
    match text {
        ['1', '9', a, b, ..] | ['2', '0', a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit() => 4,
        _ => 0,
    }
}

/// How often the first character is repeated, when it is.
fn longest_same(text: &[char]) -> usize {
    let length = text.iter().take_while(|c| text.first() == Some(c)).count();
    if length >= 2 { length } else { 0 }
}

/// Characters (two and more) that the text begins with and that stood before.
fn longest_seen(text: &[char], counted: &[&[char]]) -> usize {
    let before: Vec<char> = counted.iter().flat_map(|piece| piece.iter().copied()).collect();
    let longest = (2..=text.len().min(before.len()))
        .take_while(|length| {
            let start = text.get(..*length).unwrap_or_default();
            before.windows(*length).any(|window| window == start)
        })
        .last();
    longest.unwrap_or(0)
}

/// Bytes that are read at a time: a line of the list has about 45.
const PIECE: usize = 256;

/// Whether the sum stands in the sorted list.
fn stands_in(list: &dyn ReadAt, sum: &[u8; 20]) -> io::Result<bool> {
    let wanted = crate::random::hex(sum).to_ascii_uppercase();
    // INVARIANT: the line, if there is one, begins at `low` or after, and before `high`.
    let (mut low, mut high) = (0, list.length()?);
    while low < high {
        let middle = low + (high - low) / 2;
        let Some((begins, line)) = line_from(list, middle, low, high)? else {
            high = middle;
            continue;
        };
        let found = line.get(..40).unwrap_or(&line).to_ascii_uppercase();
        match found.as_slice().cmp(wanted.as_bytes()) {
            std::cmp::Ordering::Equal => return Ok(true),
            std::cmp::Ordering::Less => low = begins + line.len() as u64 + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(false)
}

/// The first line that begins at `from` or after it (at `low` there begins one), before `high`.
fn line_from(list: &dyn ReadAt, from: u64, low: u64, high: u64) -> io::Result<Option<(u64, Vec<u8>)>> {
    // A line that begins at `from` has its end of line one byte before.
    let start = if from == low { from } else { from - 1 };
    let mut piece = [0; PIECE];
    let mut filled = 0;
    while filled < PIECE {
        match list.read_at(start + filled as u64, piece.get_mut(filled..).unwrap_or_default())? {
            0 => break,
            read => filled += read,
        }
    }
    let text = piece.get(..filled).unwrap_or_default();
    let skipped = if from == low { 0 } else { text.iter().position(|byte| *byte == b'\n').map_or(filled, |at| at + 1) };
    let begins = start + skipped as u64;
    let rest = text.get(skipped..).unwrap_or_default();
    if begins >= high || rest.is_empty() {
        return Ok(None);
    }
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if line.len() == rest.len() && filled == PIECE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line of the list is too long"));
    }
    Ok(Some((begins, line.to_vec())))
}

#[cfg(test)]
mod tests;
