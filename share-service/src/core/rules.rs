//! What each request does to what is stored, as plain functions from the one to the other.
//!
//! A caller loads the document, applies the rule, and stores what the rule returns, with nobody else changing that
//! share in between. A rule that fails leaves nothing to store.

use serde_json::Value;

use super::document::ShareDocument;
use super::error::ShareError;
use super::ids::SessionId;
use super::limits::Limits;
use super::secret::Secret;
use super::sync;

/// Creates a session's share, or finds the one that it has and keeps what is in it. Initial data is merged as by a
/// sync in both cases, and counts as one.
///
/// `secret` is the one for a new share; an existing one keeps its own. Returns the share, and whether it differs from
/// what was stored.
///
/// # Errors
/// [`ShareError::IdTaken`] if the id belongs to the share of another session, and what [`sync::parse`] returns.
pub fn create(
    stored: Option<ShareDocument>,
    session: &SessionId,
    secret: Secret,
    initial_data: Option<Vec<Value>>,
    limits: &Limits,
    now: u64,
) -> Result<(ShareDocument, bool), ShareError> {
    let is_new = stored.is_none();
    let mut share = stored.unwrap_or_else(|| ShareDocument::new(session, secret, now));
    if share.metadata.session_id != session.as_str() {
        return Err(ShareError::IdTaken);
    }
    let Some(data) = initial_data else { return Ok((share, is_new)) };
    share.merge(sync::parse(data, limits)?, now);
    Ok((share, true))
}

/// Merges a sync into a share.
///
/// # Errors
/// [`ShareError::NotFound`], [`ShareError::InvalidSecret`], and what [`sync::parse`] returns.
pub fn sync(
    stored: Option<ShareDocument>,
    secret: &str,
    data: Vec<Value>,
    limits: &Limits,
    now: u64,
) -> Result<ShareDocument, ShareError> {
    let mut share = authorised(stored, secret)?;
    share.merge(sync::parse(data, limits)?, now);
    Ok(share)
}

/// Decides whether a share may be deleted.
///
/// # Errors
/// [`ShareError::NotFound`] and [`ShareError::InvalidSecret`].
pub fn delete(stored: Option<ShareDocument>, secret: &str) -> Result<(), ShareError> {
    authorised(stored, secret).map(drop)
}

fn authorised(stored: Option<ShareDocument>, secret: &str) -> Result<ShareDocument, ShareError> {
    let share = stored.ok_or(ShareError::NotFound)?;
    if !share.metadata.secret.matches(secret) {
        return Err(ShareError::InvalidSecret);
    }
    Ok(share)
}

#[cfg(test)]
mod tests;
