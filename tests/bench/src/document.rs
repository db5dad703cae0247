//! What is echoed: about 65 KB of rows.

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) tags: Vec<String>,
    pub(crate) vals: Vec<f64>,
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
pub(crate) struct Document {
    pub(crate) rows: Vec<Row>,
}

pub(crate) fn document() -> Document {
    let rows = (0..330u64).map(|id| Row {
        id,
        name: format!("row-{id}-name \u{e9}\u{4e16}"),
        tags: vec!["alpha".into(), format!("beta-{}", id % 10), "gamma \"q\"".into()],
        vals: (0..16).map(|k| (id * 31 + k * 7) as f64 + 0.5).collect(),
    });
    Document { rows: rows.collect() }
}

/// The same in the wire's form, where an array stands in another one.
#[derive(Serialize, Deserialize)]
pub(crate) struct WireRow {
    id: u64,
    name: String,
    tags: (Vec<String>,),
    vals: (Vec<f64>,),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WireDocument {
    rows: (Vec<WireRow>,),
}

impl From<Document> for WireDocument {
    fn from(document: Document) -> Self {
        let rows = document.rows.into_iter().map(|row| WireRow {
            id: row.id,
            name: row.name,
            tags: (row.tags,),
            vals: (row.vals,),
        });
        Self { rows: (rows.collect(),) }
    }
}
