type ApiResult<T> = Result<T, capnweb::Error>;

#[capnweb::interface]
trait Api {
    async fn open(&self, name: String) -> ApiResult<u32>;
}

fn main() {}
