//! The grammar of unit expressions. SPEC: UCUM §2 to §12 (grammar, character set, annotations).
//!
//! Case sensitive symbols only, as FHIR uses. More generous than the grammar in one place: an annotation may
//! follow a number or a parenthesis too (`1{score}`), as real data has it.

use super::number::Number;
use super::{Unit, UnitError, limits};

/// Where symbols are looked up.
pub(super) trait Symbols {
    /// The unit atom of this symbol, and whether it takes prefixes.
    fn atom(&mut self, symbol: &str) -> Result<Option<(Unit, bool)>, UnitError>;
    /// The prefixes and their factors that this symbol begins with, the longest first.
    fn prefix(&self, symbol: &str) -> [Option<(usize, Number)>; 2];
}

/// Reads a whole unit expression.
pub(super) fn parse(code: &str, symbols: &mut dyn Symbols) -> Result<Unit, UnitError> {
    if code.len() > limits::CODE_BYTES_MAX {
        return Err(UnitError::TooLong);
    }
    let mut parser = Parser { code, at: 0, symbols };
    let mut unit = Unit::ONE;
    if parser.skip(b'/') {
        unit = parser.component(0)?.power(-1, 1)?;
        parser.rest_of_term(&mut unit, 0)?;
    } else {
        parser.term(&mut unit, 0)?;
    }
    if parser.at == code.len() { Ok(unit) } else { Err(UnitError::Syntax(parser.at)) }
}

struct Parser<'p> {
    code: &'p str,
    at: usize,
    symbols: &'p mut dyn Symbols,
}

impl<'p> Parser<'p> {
    fn peek(&self) -> Option<u8> {
        self.code.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn term(&mut self, unit: &mut Unit, depth: u32) -> Result<(), UnitError> {
        *unit = self.component(depth)?;
        self.rest_of_term(unit, depth)
    }

    fn rest_of_term(&mut self, unit: &mut Unit, depth: u32) -> Result<(), UnitError> {
        loop {
            let divides = match self.peek() {
                Some(b'.') => false,
                Some(b'/') => true,
                _ => return Ok(()),
            };
            self.at += 1;
            let start = self.at;
            let next = self.component(depth)?;
            let next = if divides { next.power(-1, start)? } else { next };
            *unit = unit.times(&next, start)?;
        }
    }

    fn component(&mut self, depth: u32) -> Result<Unit, UnitError> {
        let mut unit = Unit::ONE;
        match self.peek() {
            Some(b'(') if depth >= limits::PARENTHESES_MAX => return Err(UnitError::TooDeep),
            Some(b'(') => {
                self.at += 1;
                self.term(&mut unit, depth + 1)?;
                if !self.skip(b')') {
                    return Err(UnitError::Syntax(self.at));
                }
            }
            Some(b'{') => {}
            _ => unit = self.simple()?,
        }
        self.annotation()?;
        Ok(unit)
    }

    fn annotation(&mut self) -> Result<(), UnitError> {
        let start = self.at;
        if !self.skip(b'{') {
            return Ok(());
        }
        loop {
            match self.peek() {
                Some(b'}') => break,
                Some(byte) if byte.is_ascii_graphic() && byte != b'{' => self.at += 1,
                Some(_) => return Err(UnitError::Syntax(self.at)),
                None => return Err(UnitError::Syntax(start)),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// A number, or a unit atom with its prefix and exponent.
    fn simple(&mut self) -> Result<Unit, UnitError> {
        let start = self.at;
        let symbol = self.symbol()?;
        if symbol.is_empty() {
            return Err(UnitError::Syntax(start));
        }
        if symbol.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = symbol.parse::<i128>().ok().filter(|number| *number > 0 && symbol.len() <= 18);
            return number.map(|number| Unit::number(Number::integer(number))).ok_or(UnitError::Syntax(start));
        }
        let (atom, power) = exponent(symbol).ok_or(UnitError::Syntax(start))?;
        if power.unsigned_abs() > limits::EXPONENT_MAX {
            return Err(UnitError::TooLarge);
        }
        let unit = self.atom(atom, start)?;
        if power == 1 { Ok(unit) } else { unit.power(power, start) }
    }

    /// The text up to the next operator, parenthesis or annotation outside square brackets.
    fn symbol(&mut self) -> Result<&'p str, UnitError> {
        let start = self.at;
        let mut open = None;
        while let Some(byte) = self.peek() {
            match byte {
                b'[' if open.is_none() => open = Some(self.at),
                b']' if open.is_some() => open = None,
                b'.' | b'/' | b'(' | b')' | b'{' if open.is_none() => break,
                b'[' | b']' | b'{' | b'}' | b'"' => return Err(UnitError::Syntax(self.at)),
                byte if !byte.is_ascii_graphic() => return Err(UnitError::Syntax(self.at)),
                _ => {}
            }
            self.at += 1;
        }
        if let Some(at) = open {
            return Err(UnitError::Syntax(at));
        }
        Ok(self.code.get(start..self.at).unwrap_or_default())
    }

    fn atom(&mut self, symbol: &str, at: usize) -> Result<Unit, UnitError> {
        if let Some((unit, _)) = self.symbols.atom(symbol)? {
            return Ok(unit);
        }
        let mut error = UnitError::Unknown(at);
        for (length, factor) in self.symbols.prefix(symbol).into_iter().flatten() {
            let rest = symbol.get(length..).unwrap_or_default();
            match self.symbols.atom(rest)? {
                Some((unit, true)) => return unit.prefixed(factor),
                Some(_) => error = UnitError::NoPrefix(at),
                None => {}
            }
        }
        Err(error)
    }
}

/// `m2` is `m` to the 2, `10*-3` is `10*` to the -3; digits in brackets belong to the symbol. `None` when the
/// exponent is no number.
fn exponent(symbol: &str) -> Option<(&str, i32)> {
    let base = symbol.trim_end_matches(|c: char| c.is_ascii_digit());
    if base.len() == symbol.len() {
        // A sign without digits is no exponent.
        return (!symbol.ends_with(['+', '-'])).then_some((symbol, 1));
    }
    let base = base.strip_suffix(['+', '-']).unwrap_or(base);
    let power = symbol.get(base.len()..)?.parse().ok()?;
    (!base.is_empty()).then_some((base, power))
}
