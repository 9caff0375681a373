//! Three-valued logic: no, cannot be checked, yes (Kleene).

/// Whether a code belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    No,
    Unsure,
    Yes,
}

impl Truth {
    pub(crate) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    pub(crate) fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unsure => Self::Unsure,
            Self::Yes => Self::No,
        }
    }
}

/// How two sets are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    Or,
    And,
    /// In the first and not in the second.
    Without,
}

impl Join {
    pub(crate) fn of(self, one: Truth, other: Truth) -> Truth {
        match self {
            Self::Or => one.or(other),
            Self::And => one.and(other),
            Self::Without => one.and(other.not()),
        }
    }
}
