//! How hard words are to read. Flesch-Kincaid's grade for English, Fernández Huerta's ease for Spanish; both are rough, so
//! they are asked of many sentences together, and the length of each sentence alone.

/// Words of the longest sentence that a page may have.
pub(crate) const SENTENCE_WORDS_MAX: usize = 26;

/// How one language is measured.
pub(crate) struct Measure {
    syllables: fn(&str) -> usize,
    /// By words a sentence and syllables a word: how far it is within the limit.
    margin: fn(f64, f64) -> f64,
}

/// English, Spanish.
pub(crate) const MEASURES: [Measure; 2] = [
    // Grade 6 is the school year of eleven and twelve.
    Measure {
        syllables: english_syllables,
        margin: |words, syllables| 6.0 - (0.39 * words + 11.8 * syllables - 15.59),
    },
    // 70 to 80 is "fairly easy": the sixth year of school.
    Measure {
        syllables: spanish_syllables,
        margin: |words, syllables| 206.84 - 60.0 * syllables - 1.02 * words - 70.0,
    },
];

impl Measure {
    /// Holds all texts that end like a sentence to the limit, together; labels and names of groups are none.
    pub(crate) fn check<'a>(&self, texts: impl Iterator<Item = &'a str>) {
        let (mut all, mut words, mut beats) = (0_u32, 0_u32, 0_u32);
        for text in texts.filter(|text| text.ends_with(['.', '?'])) {
            for sentence in sentences(text) {
                all += 1;
                for word in sentence.split_whitespace().filter(|word| !word.contains('{')) {
                    words += 1;
                    beats += u32::try_from((self.syllables)(&word.to_lowercase()).max(1)).unwrap_or(1);
                }
            }
        }
        assert!(all > 20, "{all} sentences are too few to tell");
        let margin = (self.margin)(f64::from(words) / f64::from(all), f64::from(beats) / f64::from(words));
        assert!(margin > 0.0, "too hard by {:.1} of {all} sentences", -margin);
    }
}

/// Sentences, and parts of one that stand alone.
pub(crate) fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '?', ':', ';']).map(str::trim).filter(|sentence| !sentence.is_empty())
}

fn groups_of(word: &str, vowels: &str) -> usize {
    word.split(|letter| !vowels.contains(letter)).filter(|group| !group.is_empty()).count()
}

/// Groups of vowels, a silent `e` at the end not counted.
fn english_syllables(word: &str) -> usize {
    let letters: String = word.chars().filter(|letter| letter.is_alphabetic()).collect();
    let silent = letters.ends_with('e') && !letters.ends_with("le");
    groups_of(&letters, "aeiouy").saturating_sub(usize::from(silent && letters.len() > 3))
}

/// Groups of vowels; two strong ones or an accent on a weak one part a group, as the ear does.
fn spanish_syllables(word: &str) -> usize {
    let letters: Vec<char> = word.chars().filter(|letter| letter.is_alphabetic()).collect();
    let strong = |letter: char| "aeoáéóíú".contains(letter);
    let hiatus =
        letters.iter().zip(letters.iter().skip(1)).filter(|(one, next)| strong(**one) && strong(**next)).count();
    groups_of(&letters.iter().collect::<String>(), "aeiouáéíóúü") + hiatus
}
