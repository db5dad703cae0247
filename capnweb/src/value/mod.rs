//! placeholder
/// x
#[derive(Clone, Debug)]
pub enum Value { /// x
 Undefined, /// x
 Error(Box<Exception>) }
/// x
#[derive(Clone, Debug)]
pub struct Exception { /// x
 pub name: String, /// x
 pub message: String }
impl Exception { /// x
 pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self { Self { name: name.into(), message: message.into() } } }
