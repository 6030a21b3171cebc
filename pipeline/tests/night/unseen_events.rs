//! Events that the configuration names and nobody sends are told.

use crate::hand::{DAY, EVENTS, Hand};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_no_row_has_is_told_with_the_nearest() {
    let measure = "[source.measures]\namount = { value = 'amount', events = ['purchse'] }\n";
    let hand = Hand::new(&[EVENTS, measure]);
    hand.write_events(
        DAY,
        &[
            ("shop", "u1", "purchase", None, Some(1.0)),
            ("shop", "u2", "visit", None, None),
        ],
    );
    let report = hand.init_and_run().await.unwrap();
    let told = "source events had no event \"purchse\" that day, near: \"purchase\"";
    assert_eq!(report.warnings, [told]);

    let hand = Hand::new(&[EVENTS, "events = ['visit', 'pay']\n"]);
    hand.write_events(DAY, &[("shop", "u1", "visit", None, None)]);
    let report = hand.init_and_run().await.unwrap();
    assert_eq!(
        report.warnings,
        ["source events had no event \"pay\" that day"]
    );
}
