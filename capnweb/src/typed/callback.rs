//! Functions as interfaces.

use std::{future::Future, marker::PhantomData, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{Arg, Client, Failure, Interface, IntoArg, Method, Outcome, Serves};
use crate::{
    maybe_send::{MaybeSend, MaybeSync},
    promise::Promise,
    remote::Remote,
    target::{Call, Reply},
};

/// What a stub of a function derefs to.
///
/// A function is an interface, too: `Stub<fn(String, u32) -> Result<bool>>`, of up to six parameters. The
/// type is that of a function pointer, but only for its name: any closure can stand behind it.
///
/// Such a stub is made of a closure that returns a future, whose parameters' types have to be
/// written down, and called by `call`:
///
/// ```
/// use capnweb::{Result, Stub};
///
/// # async fn example() -> Result<()> {
/// let longer: Stub<fn(String, u32) -> Result<bool>> =
///     Stub::new(async |text: String, length: u32| Ok(text.len() > length as usize));
/// assert!(longer.call("callback", 3).await?);
/// # Ok(())
/// # }
/// ```
///
/// Where the result is `Result<()>` the function may return anything, which nobody looks at.
///
/// An async closure can use nothing but its parameters, as its futures outlive each call of it. One
/// that has something of its own gives each future a share of that:
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
/// use capnweb::{Result, Stub};
///
/// # async fn example() -> Result<()> {
/// let sum = Arc::new(AtomicU32::new(0));
/// let add: Stub<fn(u32) -> Result<u32>> = {
///     let sum = sum.clone();
///     Stub::new(move |n: u32| {
///         let sum = sum.clone();
///         async move { Ok(sum.fetch_add(n, Ordering::Relaxed)) }
///     })
/// };
/// add.call(2).await?;
/// assert_eq!(sum.load(Ordering::Relaxed), 2);
/// # Ok(())
/// # }
/// ```
pub struct FunctionClient<A, R> {
    remote: Remote,
    of: PhantomData<fn(A) -> R>,
}

/// How functions are called in errors.
static CALL: Method = Method::new("Fn", "call");

impl<A, R> Client for FunctionClient<A, R> {
    fn new(remote: Remote) -> Self {
        Self { remote, of: PhantomData }
    }

    fn remote(&self) -> &Remote {
        &self.remote
    }
}

impl<A, R> Clone for FunctionClient<A, R> {
    fn clone(&self) -> Self {
        Self { remote: self.remote.clone(), of: PhantomData }
    }
}

macro_rules! functions {
    ($(($($name:ident $value:ident)*))*) => {$(
        impl<$($name,)* R, X> Interface for fn($($name),*) -> Result<R, X> {
            const NAME: &'static str = "Fn";
            type Client = FunctionClient<($($name,)*), Result<R, X>>;
        }

        impl<F, Fut, $($name,)* R, X> Serves<F> for fn($($name),*) -> Result<R, X>
        where
            F: Fn($($name),*) -> Fut + MaybeSend + MaybeSync + 'static,
            Fut: Future<Output = Result<R, X>> + MaybeSend + 'static,
            $($name: DeserializeOwned + 'static,)*
            R: Serialize + 'static,
            X: Failure,
        {
            fn call(target: &Arc<F>, call: Call) -> Reply {
                if !call.is_of_itself() {
                    return call.no_such_method();
                }
                call.reply_async(|($($value,)*): ($($name,)*)| {
                    let result = target($($value),*);
                    async move { result.await.into_result() }
                })
            }

            fn get(_: &Arc<F>, _: &str) -> Reply {
                Reply::undefined()
            }

            fn has_method(_: &str) -> bool {
                false
            }

            fn has_property(_: &str) -> bool {
                false
            }
        }

        impl<$($name: Serialize,)* R, X> FunctionClient<($($name,)*), Result<R, X>> {
            /// Calls the function. The call is made at once; what comes back is a promise of its
            /// result.
            // The functions of up to six parameters are all called the same way.
            pub fn call(&self, $($value: impl IntoArg<$name>),*) -> Promise<R, X> {
                let args: ($(Arg<$name>,)*) = ($($value.into_arg(),)*);
                Promise::of(self.remote.call_self(args).of_method(&CALL))
            }
        }
    )*};
}

functions! {
    ()
    (A a)
    (A a B b)
    (A a B b C c)
    (A a B b C c D d)
    (A a B b C c D d E e)
    (A a B b C c D d E e G g)
}
