//! Notices that the parent process is gone, so that no child outlives it; for every process that one of ours starts.

use std::io::Read as _;

/// Resolves when standard input is closed; never, unless that is `asked` for.
pub async fn gone(asked: bool) {
    if !asked {
        return std::future::pending().await;
    }
    // A thread of its own: a read that waits for ever must not keep the runtime from ending.
    let (gone, heard) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut sink = [0; 64];
        while std::io::stdin().read(&mut sink).is_ok_and(|read| read > 0) {}
        let _nobody_listens_any_more = gone.send(());
    });
    let _either_way = heard.await;
}
