//! Reading fixed forms byte by byte: digits, marks, offsets.

/// A position in a text.
#[derive(Debug)]
pub(super) struct Scan<'a>(&'a [u8]);

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text.as_bytes())
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Steps over this byte; `None` when another stands here.
    pub(super) fn after(&mut self, byte: u8) -> Option<&mut Self> {
        self.next().filter(|have| *have == byte).map(|_| self)
    }

    /// Exactly so many digits, at most 9.
    pub(super) fn digits(&mut self, count: usize) -> Option<u32> {
        (0..count).try_fold(0, |number, _| {
            let digit = self.next().filter(u8::is_ascii_digit)?;
            Some(number * 10 + u32::from(digit - b'0'))
        })
    }

    /// One or more digits after a decimal point, as milliseconds; further digits are dropped.
    pub(super) fn fraction_millis(&mut self) -> Option<u32> {
        let (mut millis, mut unit, mut count) = (0, 100, 0usize);
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            millis += u32::from(digit - b'0') * unit;
            unit /= 10;
            count += 1;
            self.next();
        }
        (count > 0).then_some(millis)
    }

    /// `Z`, `±HH:MM` up to 14:00, or nothing: minutes east of UTC. `None` when it is malformed.
    pub(super) fn offset(&mut self) -> Option<Option<i16>> {
        let sign = match self.next() {
            None => return Some(None),
            Some(b'Z') => return Some(Some(0)),
            Some(b'+') => 1,
            Some(b'-') => -1,
            Some(_) => return None,
        };
        let hours = self.digits(2)?;
        let minutes = self.after(b':')?.digits(2).filter(|minutes| *minutes <= 59)?;
        let total = i16::try_from(hours * 60 + minutes).ok().filter(|total| *total <= 14 * 60)?;
        Some(Some(sign * total))
    }
}
