//! Comparing scopes: does one give all that another gives, and what do two have in common.
//!
//! Conservative by syntax: two queries that mean the same in other words are not found equal. It never errs to the
//! wider side. SPEC: rows B33 to B35 and C11.

use super::Scope;

impl Scope {
    /// Whether everything that `narrower` gives is given by `self` too.
    #[must_use]
    pub fn covers(&self, narrower: &Self) -> bool {
        self.context == narrower.context
            && (self.resource_type.is_none() || self.resource_type == narrower.resource_type)
            && self.permissions.contains(narrower.permissions)
            && self.query.iter().all(|condition| narrower.query.iter().any(|other| implies(other, condition)))
    }

    /// What both give, as a scope: the narrower type, the common letters, the conditions of both. `None` when
    /// they have nothing in common. Written as one of the two where that says it, so that a v1 request gets v1
    /// strings back where it can (row B32).
    #[must_use]
    pub fn common(requested: &Self, registered: &Self) -> Option<Self> {
        if registered.covers(requested) {
            return Some(requested.clone());
        }
        if requested.context != registered.context {
            return None;
        }
        let resource_type = match (&requested.resource_type, &registered.resource_type) {
            (Some(one), Some(other)) if one != other => return None,
            (Some(one), _) | (None, Some(one)) => Some(one),
            (None, None) => None,
        };
        let permissions = requested.permissions.intersection(registered.permissions);
        if permissions.is_empty() {
            return None;
        }
        let mut conditions: Vec<&str> = Vec::new();
        for condition in
            [requested, registered].into_iter().filter_map(|scope| scope.raw_query()).flat_map(|q| q.split('&'))
        {
            if !conditions.contains(&condition) {
                conditions.push(condition);
            }
        }
        let requested_v1 =
            v1_suffix(requested).filter(|_| permissions == requested.permissions && conditions.is_empty());
        let mut text = format!("{}/{}.", requested.context.as_str(), resource_type.map_or("*", |name| name));
        match requested_v1 {
            Some(suffix) => text.push_str(suffix),
            None => text.push_str(&permissions.to_string()),
        }
        if !conditions.is_empty() {
            text.push('?');
            text.push_str(&conditions.join("&"));
        }
        // INVARIANT: both sides must still cover what was put together; else it is not given.
        Self::parse(&text).ok().filter(|common| requested.covers(common) && registered.covers(common))
    }
}

/// The suffix of a scope that is written in v1.
fn v1_suffix(scope: &Scope) -> Option<&'static str> {
    let (_, suffix) = scope.text.rsplit_once('.')?;
    ["read", "write", "*"].into_iter().find(|v1| *v1 == suffix)
}

/// Whether whatever meets `narrower` meets `wider`: the same condition, or fewer of its comma alternatives.
fn implies(narrower: &(String, String), wider: &(String, String)) -> bool {
    if narrower.0 != wider.0 {
        return false;
    }
    if narrower.1 == wider.1 {
        return true;
    }
    // WHY: with a modifier (`:not`) fewer alternatives may mean more resources.
    if wider.0.contains(':') {
        return false;
    }
    let alternatives = split_alternatives(&wider.1);
    split_alternatives(&narrower.1).iter().all(|one| alternatives.contains(one))
}

/// Splits at commas that no backslash escapes. SPEC: R4 search.html#escaping.
fn split_alternatives(value: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in value.chars() {
        if c == ',' && !escaped {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    parts
}
