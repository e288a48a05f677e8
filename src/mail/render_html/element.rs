//! element — what a tag is, as far as reading depends on it.
//! Owns: `Element`, `of`. May import: base.
//! Start reading at: `Element`.

/// The kinds of elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Element {
    /// A block with a blank line around it.
    Paragraph,
    /// A block on lines of its own.
    Division,
    Heading,
    Quote,
    Pre,
    BulletList,
    NumberList,
    Item,
    Term,
    Definition,
    Table,
    Row,
    /// `td`, and `th` if true.
    Cell(bool),
    /// `thead`, `tbody`, `tfoot`: they only close what stands open.
    RowGroup,
    Caption,
    Anchor,
    Strong,
    Emphasis,
    Struck,
    Code,
    /// Its content is not text.
    Dropped,
    Style,
    Break,
    Rule,
    Image,
    /// No end tag and nothing to show.
    Void,
    /// Everything else, `span` for one: it may hide its content.
    Inline,
}

impl Element {
    /// Whether it has no content.
    pub(super) fn is_void(self) -> bool {
        matches!(self, Self::Break | Self::Rule | Self::Image | Self::Void)
    }

    /// Whether it stands on lines of its own.
    pub(super) fn is_block(self) -> bool {
        !self.is_void()
            && !matches!(
                self,
                Self::Anchor
                    | Self::Strong
                    | Self::Emphasis
                    | Self::Struck
                    | Self::Code
                    | Self::Dropped
                    | Self::Style
                    | Self::Inline
            )
    }

    /// Whether a blank line stands around it.
    pub(super) fn has_margin(self) -> bool {
        matches!(self, Self::Paragraph | Self::Heading | Self::Quote | Self::Pre | Self::BulletList | Self::NumberList)
    }

    /// Whether end tags inside do not reach beyond it.
    pub(super) fn is_wall(self) -> bool {
        matches!(self, Self::Table | Self::Cell(_) | Self::Caption)
    }
}

/// The element of that (lower-case) name.
pub(super) fn of(name: &str) -> Element {
    match name {
        "p" | "dl" | "fieldset" => Element::Paragraph,
        "div" | "section" | "article" | "header" | "footer" | "main" | "aside" | "nav" | "address" | "figure" | "figcaption"
        | "form" | "center" | "details" | "summary" | "body" | "html" | "legend" | "hgroup" | "search" | "xmp" | "plaintext"
        | "listing" => Element::Division,
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Element::Heading,
        "blockquote" => Element::Quote,
        "pre" => Element::Pre,
        "ul" | "menu" | "dir" => Element::BulletList,
        "ol" => Element::NumberList,
        "li" => Element::Item,
        "dt" => Element::Term,
        "dd" => Element::Definition,
        "table" => Element::Table,
        "tr" => Element::Row,
        "td" => Element::Cell(false),
        "th" => Element::Cell(true),
        "thead" | "tbody" | "tfoot" => Element::RowGroup,
        "caption" => Element::Caption,
        "a" => Element::Anchor,
        "b" | "strong" => Element::Strong,
        "i" | "em" | "cite" | "dfn" | "var" => Element::Emphasis,
        "s" | "strike" | "del" => Element::Struck,
        "code" | "tt" | "kbd" | "samp" => Element::Code,
        "script" | "title" | "iframe" | "noembed" | "noframes" | "template" | "svg" | "math" | "datalist" | "object"
        | "applet" | "select" | "canvas" | "textarea" | "audio" | "video" => Element::Dropped,
        "style" => Element::Style,
        "br" => Element::Break,
        "hr" => Element::Rule,
        "img" | "image" => Element::Image,
        "input" | "meta" | "link" | "col" | "colgroup" | "wbr" | "area" | "base" | "basefont" | "embed" | "source" | "track"
        | "param" | "frame" | "bgsound" | "keygen" => Element::Void,
        _ => Element::Inline,
    }
}
