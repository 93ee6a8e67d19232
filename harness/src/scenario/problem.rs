//! What is wrong with a scenario file, and how that is shown.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One thing wrong with a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    span: Option<Range<usize>>,
    title: String,
    label: Option<String>,
    help: Option<String>,
}

impl Problem {
    /// A problem with the bytes at `span`, or with the file as a whole.
    pub fn new(span: Option<Range<usize>>, title: impl Into<String>) -> Self {
        Self { span, title: title.into(), label: None, help: None }
    }

    /// What is said beside the marked place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// What the user can do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Everything wrong with one file.
#[derive(Debug, Clone)]
pub struct Problems {
    file: PathBuf,
    text: String,
    list: Vec<Problem>,
}

impl Problems {
    /// No problem yet, in the file with this name and text.
    #[must_use]
    pub fn new(file: &Path, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned(), list: Vec::new() }
    }

    /// A file that could not even be read.
    #[must_use]
    pub fn unreadable(file: &Path, cause: &std::io::Error) -> Self {
        let mut problems = Self::new(file, "");
        problems.add(Problem::new(None, format!("cannot read the scenario: {cause}")));
        problems
    }

    /// One more.
    pub fn add(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// An empty collection about the same file.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self { file: self.file.clone(), text: self.text.clone(), list: Vec::new() }
    }

    /// Adds the problems of `found` that `known` does not hold.
    pub fn add_new(&mut self, found: Self, known: &Self) {
        // What helps may differ: more words may be known in one place than in the other.
        let same = |one: &Problem, other: &Problem| one.span == other.span && one.title == other.title;
        let is_new = |problem: &Problem| !known.list.iter().any(|other| same(problem, other));
        self.list.extend(found.list.into_iter().filter(is_new));
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The line and column, both from 1, where `span` begins.
    #[must_use]
    pub fn place(&self, span: &Range<usize>) -> Place {
        Place::of(&self.text, span.start)
    }

    /// All of them as text, in the order of the file; with colours for a terminal.
    #[must_use]
    pub fn render(&self, colours: bool) -> String {
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        let mut list: Vec<&Problem> = self.list.iter().collect();
        list.sort_by_key(|problem| problem.span.as_ref().map_or(0, |span| span.start));
        let rendered = list.iter().map(|problem| self.render_one(problem, &renderer));
        rendered.collect::<Vec<_>>().join("\n\n")
    }

    fn render_one(&self, problem: &Problem, renderer: &Renderer) -> String {
        let path = self.file.display().to_string();
        let title = Level::ERROR.primary_title(problem.title.as_str());
        let mut group = match &problem.span {
            Some(span) => {
                let mark = AnnotationKind::Primary.span(span.clone()).label(problem.label.as_deref());
                title.element(Snippet::source(self.text.as_str()).path(path.as_str()).annotation(mark))
            }
            None => title.element(annotate_snippets::Origin::path(path.as_str())),
        };
        if let Some(help) = &problem.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// A place in a file: line and column, both from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Place {
    /// Where the byte at `offset` stands in `text`.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = &text[..offset.min(text.len())];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
