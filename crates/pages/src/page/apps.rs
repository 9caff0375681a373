//! My apps: what a person lets see their record, and the end of it. SPEC: rows B62, B61 (`management_endpoint`).

use crate::{
    Ends, GrantFacts, Place, Secret, Text, fields,
    html::{Address, Fragment, el},
    parts::{self, Tone, capital, deciding, fill, fill_plain, hint},
    paths,
    render::{Context, Render},
    texts::Texts,
    words::{self, Ask, Part, Row, UserReach},
};

/// The list.
#[derive(Clone, Debug)]
pub struct Apps {
    /// Form token.
    pub csrf: Secret,
    /// What stands, latest first; at most [`crate::limits::ROWS_MAX`].
    pub grants: Vec<GrantFacts>,
    /// There are more than these.
    pub has_more: bool,
    /// What has just ended.
    pub ended: Option<Ended>,
}

/// Whose access has just ended.
#[derive(Clone, Debug)]
pub enum Ended {
    /// All that the app with this name had.
    One(Text),
    /// Some of it; it stands in the list with the rest.
    Part(Text),
    /// That of all apps.
    All,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct App {
    /// Form token.
    pub csrf: Secret,
    /// What it may see, since when, until when.
    pub grant: GrantFacts,
    /// The app stands in the list with other access as well.
    pub has_others: bool,
}

fn whose(grant: &GrantFacts, t: &Texts) -> Fragment {
    match &grant.patient {
        Some(patient) => fill(t.apps_record_of, &[("patient", patient.into())]),
        None => t.apps_records.into(),
    }
}

fn last_used(grant: &GrantFacts, t: &Texts) -> String {
    grant.last_used.map_or_else(|| t.never_used.to_owned(), |moment| t.moment(moment))
}

impl Render for Apps {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.apps_title.to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::APPS)
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Apps)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let ended = self.ended.as_ref().map(|ended| match ended {
            Ended::One(app) => fill(t.apps_ended, &[("app", app.into())]),
            Ended::Part(app) => fill(t.apps_part_ended, &[("app", app.into())]),
            Ended::All => t.apps_all_ended.into(),
        });
        let ended = ended.map(|words| parts::notice(Tone::Good, el("p").add(words), t));
        if self.grants.is_empty() {
            let none = parts::lead(t.apps_none);
            return Fragment::all([Fragment::from(ended), none.into(), hint(t.apps_none_next).into()]);
        }
        let rows = self.grants.iter().map(|grant| {
            let address = Address::of(paths::APP).with(fields::GRANT, grant.id.as_str());
            let used = format!("{}: {}", t.last_used, last_used(grant, t));
            let words = el("span")
                .class("label")
                .add(el("span").class("name").add(&grant.app.name))
                .add(el("span").class("line").add(whose(grant, t)))
                .add(el("span").class("line").add(used));
            let link = el("a").class("row").href(&address).add(parts::logo(&grant.app)).add(words);
            el("li").add(link.add(parts::icon("M9 5l7 7-7 7")))
        });
        let rows = el("ul").class("rows").add(Fragment::all(rows));
        let more = self.has_more.then(|| hint(fill_plain(t.apps_more, &[("count", &self.grants.len().to_string())])));
        // Not to be done by a slip of the finger: behind its headline.
        let all = (self.grants.len() > 1).then(|| {
            let button = deciding(el("button").class("danger"), fields::END).add(t.apps_end_all);
            let form = parts::form(paths::APPS, &self.csrf).add(el("p").add(t.apps_end_all_lead));
            parts::details(t.apps_end_all_title, form.add(parts::actions(button)))
        });
        Fragment::all([
            Fragment::from(ended),
            parts::lead(t.apps_lead).into(),
            rows.into(),
            more.into(),
            Fragment::from(all),
        ])
    }
}

impl App {
    fn list(rows: &[Row<'_>], t: &Texts) -> Fragment {
        let rows = rows.iter().map(|row| {
            let mut words: Vec<String> = Vec::new();
            for (_, one) in &row.items {
                let text = if one.writes { format!("{} ({})", one.words, one.letters) } else { one.words.clone() };
                if !words.contains(&text) {
                    words.push(text);
                }
            }
            let line = capital(&words.join(", "));
            el("li").add(el("strong").add(row.group.title(t))).add(el("span").class("line").add(line))
        });
        el("ul").class("plain").add(Fragment::all(rows)).into()
    }
}

impl Render for App {
    fn title(&self, _: Context<'_>) -> String {
        self.grant.app.name.as_str().to_owned()
    }

    fn heading(&self, _: Context<'_>) -> Fragment {
        (&self.grant.app.name).into()
    }

    fn here(&self) -> Address {
        Address::of(paths::APP).with(fields::GRANT, self.grant.id.as_str())
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Apps)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let grant = &self.grant;
        let ends = match grant.ends {
            Ends::WithSession => t.ends_with_session.to_owned(),
            Ends::On(date) => t.date(date),
            Ends::Never => t.ends_never.to_owned(),
        };
        let facts = parts::facts([
            (t.since, t.date(grant.since).into()),
            (t.last_used, last_used(grant, t).into()),
            (t.ends, ends.into()),
        ]);
        let asks: Vec<Ask> = grant.scopes.iter().map(|scope| Ask { scope: scope.clone(), on: None }).collect();
        let arranged = words::arrange(&asks, UserReach::Records, t);
        let sections = arranged.iter().map(|(part, rows)| {
            let (id, title) = match part {
                Part::Plain => ("sees", t.app_sees),
                Part::Private => ("private", t.consent_private),
                Part::Change => ("change", t.app_changes),
                Part::Wide => ("wide", t.consent_wide),
            };
            parts::section(id, title).class("part").add(Self::list(rows, t))
        });
        let scopes = grant.scopes.iter().map(|scope| {
            let words = capital(&words::in_texts(scope, t).words);
            el("li").add(words).add(" ").add(el("code").add(&scope.exact))
        });
        let scopes = parts::details(t.technical_names, el("ul").class("items").add(Fragment::all(scopes)));
        let lead = if self.has_others { t.app_end_part_lead } else { t.app_end_lead };
        let lead = fill(lead, &[("app", (&grant.app.name).into())]);
        let button = deciding(el("button").class("danger"), fields::END).add(t.app_end);
        let end = parts::form(paths::APP, &self.csrf)
            .add(parts::hidden(fields::GRANT, grant.id.as_str()))
            .add(el("p").add(lead))
            .add(parts::actions(button));
        Fragment::all([
            parts::lead(whose(grant, t)).into(),
            Fragment::from(parts::app(&grant.app, false, cx)),
            parts::unchecked(&grant.app, t.unchecked_let_in, cx).into(),
            facts.into(),
            Fragment::all(sections),
            scopes.into(),
            parts::section("end", t.app_end_title).class("part").add(end).into(),
            el("p").add(el("a").class("quiet").href(&Address::of(paths::APPS)).add(t.apps_title)).into(),
        ])
    }
}
