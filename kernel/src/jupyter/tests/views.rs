//! Tables on screen.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tidebook_session::Closed;

use super::front_end::{FrontEnd, Received};

/// The one cell of the table that a frame shows.
fn shown(frame: &Received) -> String {
    let text = frame.text("/data/text~1plain");
    assert!(frame.text("/data/text~1html").contains(&format!("<td>{}</td>", text.lines().last().unwrap())));
    text.lines().last().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_frame_before_idle_is_the_caught_up_one() {
    let mut it = FrontEnd::start().await;
    let code = "show one\nmove two\nmove three";
    let id = it.execute(code).await;
    it.begun(&id, code).await;
    let first = it.expect("display_data", &id).await;
    assert_eq!(shown(&first), "one");
    let mut last = first.clone();
    loop {
        let message = it.published().await;
        if message.kind == "status" {
            break;
        }
        assert_eq!((message.kind.as_str(), &message.parent), ("update_display_data", &id));
        assert_eq!(message.text("/transient/display_id"), first.text("/transient/display_id"));
        last = message;
    }
    assert_eq!(shown(&last), "three");
    it.reply_to(&id, "ok").await;
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_keeps_moving_after_its_cell_until_it_is_closed() {
    let mut it = FrontEnd::start().await;
    let id = it.execute("show one").await;
    it.begun(&id, "show one").await;
    let first = it.expect("display_data", &id).await;
    // What does not move is not drawn again.
    it.idle(&id).await;
    it.reply_to(&id, "ok").await;
    it.host.move_view(0, "two");
    let update = it.expect("update_display_data", &id).await;
    assert_eq!(shown(&update), "two");
    assert_eq!(update.text("/transient/display_id"), first.text("/transient/display_id"));
    // A second cell has a display of its own, and the first one's goes on meanwhile.
    let other = it.execute("show x").await;
    it.begun(&other, "show x").await;
    let second = it.expect("display_data", &other).await;
    it.idle(&other).await;
    it.reply_to(&other, "ok").await;
    assert_ne!(second.text("/transient/display_id"), first.text("/transient/display_id"));
    it.host.move_view(0, "three");
    assert_eq!(shown(&it.expect("update_display_data", &id).await), "three");

    let view = it.host.state().views.remove(0);
    view.close(Closed::Stopped);
    let last = it.expect("update_display_data", &id).await;
    assert_eq!(shown(&last), "three");
    assert!(last.text("/data/text~1html").contains(">stopped<"), "{last:?}");
    let deadline = Instant::now() + Duration::from_secs(10);
    while Arc::strong_count(&view) > 1 {
        assert!(Instant::now() < deadline, "the follower of a closed view ends");
        tokio::task::yield_now().await;
    }
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_are_at_most_five_a_second() {
    let mut it = FrontEnd::start().await;
    let id = it.execute("show 0").await;
    it.begun(&id, "show 0").await;
    it.expect("display_data", &id).await;
    it.idle(&id).await;
    let (host, begun) = (it.host.clone(), Instant::now());
    let mover = std::thread::spawn(move || {
        let mut moves = 0;
        while begun.elapsed() < Duration::from_secs(1) {
            moves += 1;
            host.move_view(0, &moves.to_string());
        }
        moves
    });
    let moves = tokio::task::spawn_blocking(move || mover.join()).await.unwrap().unwrap();
    assert!(moves > 20);
    let mut frames = 1;
    while shown(&it.expect("update_display_data", &id).await) != moves.to_string() {
        frames += 1;
    }
    assert!(frames <= 7, "{frames} frames in a second");
    it.reply_to(&id, "ok").await;
    it.end().await;
}
