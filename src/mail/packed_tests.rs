//! Tests of packed envelopes: what goes in comes out, and damage does no harm.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn pack(envelope: &Envelope) -> String {
    Packed::of(envelope).as_str().to_owned()
}

fn addresses() -> impl Strategy<Value = Vec<Address>> {
    vec((".{0,8}", ".{0,8}").prop_map(|(name, addr)| Address { name, addr }), 0..5)
}

fn ids() -> impl Strategy<Value = Vec<MessageId>> {
    vec("[!-;=?-~é]{1,9}".prop_filter_map("no id", |t| MessageId::new(&t)), 0..4)
}

proptest! {
    #[test]
    fn what_is_packed_comes_out_again_and_what_is_cut_is_no_harm(
        date in any::<Option<i64>>(), subject in "\\PC{0,20}|[;=0-9]{0,9}|(?s:.{0,9})",
        (from, sender, reply_to) in (addresses(), addresses(), addresses()),
        (to, cc, bcc) in (addresses(), addresses(), addresses()),
        message_id in ids(), in_reply_to in ids(), references in ids(), cut in 0usize..400,
    ) {
        let message_id = message_id.into_iter().next();
        let all = Envelope { date, subject, from, sender, reply_to, to, cc, bcc, message_id, in_reply_to, references };
        let packed = pack(&all);
        let kin = Packed::of(&all);
        let ancestors = all.ancestors().into_iter().map(MessageId::as_str).collect();
        prop_assert_eq!(kin.kin(), Kin { own: all.message_id.as_ref().map(MessageId::as_str), ancestors });
        prop_assert_eq!(&unpack(&packed), &all);
        let untrue = Packed::untrue(&all);
        prop_assert_eq!((is_untrue(&packed), is_untrue(untrue.as_str()), untrue.envelope()), (false, true, all.clone()));
        prop_assert_eq!(&unpack(&serde_json::to_string(&all).unwrap()), &all);
        let shown = Head {
            subject: all.subject.clone(),
            from: all.from.first().cloned().unwrap_or_default(),
            to: all.to.iter().take(RECIPIENTS).cloned().collect(),
        };
        prop_assert_eq!(&head(&packed), &shown);
        prop_assert_eq!(&head(&serde_json::to_string(&all).unwrap()), &shown);
        let end = (0..=cut.min(packed.len())).rev().find(|n| packed.is_char_boundary(*n)).unwrap();
        if end < packed.len() {
            prop_assert_eq!(unpack(&packed[..end]), Envelope::default());
        }
    }

    #[test]
    fn any_text_is_read_without_harm(text in "=[0-9;]{0,20}|=\\PC{0,30}") {
        let _ = (unpack(&text), head(&text));
    }
}

#[test]
fn a_number_that_lies_costs_nothing() {
    assert_eq!(unpack("=;99999999999999999999;x"), Envelope::default());
    assert_eq!(head("=;0;18446744073709551615;1;a1;b"), Head::default());
    assert_eq!((unpack(""), unpack("{}x")), (Envelope::default(), Envelope::default()));
}
