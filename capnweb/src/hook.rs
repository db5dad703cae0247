//! placeholder while the codec is written
#[derive(Clone, Debug)]
pub(crate) struct Hook(#[allow(dead_code)] pub(crate) std::sync::Arc<u32>);
