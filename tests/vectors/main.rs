//! vectors — servers, disks and people that do their worst, against the built program: T-01 to F-13 of our threat model.
//! Start reading at: the table below. Each number names the tests that hold it, here or elsewhere; `map.rs` holds the table.
//! Servers are honest until a rule of the test says otherwise (`wire.rs`), each test has its own and its own profile (`bed.rs`).
//!
//! A name without a path is a file beside this one.
//!
//! * T-01 transport t_01_no_starttls_offered
//! * T-02 transport t_02_starttls_refused, patience limits_of_time
//! * T-03 transport t_03_preauth
//! * T-04 transport t_04_injected_before_tls, src/net/smtp/tests.rs nothing_is_said_in_the_clear_and_nothing_from_there_is_believed
//! * T-05 transport t_05_data_before_tls
//! * T-06 use_of_line t_06_alerts
//! * T-07 transport t_07_referrals
//! * T-08 transport t_08_t_09_submission_before_tls, details t_08_a_mail_that_waits
//! * T-09 transport t_08_t_09_submission_before_tls, details t_08_a_mail_that_waits
//! * T-10 transport t_10_certificates, src/net/tls_tests.rs names, tests/it/tls.rs smtp_certificates
//! * T-11 transport t_11_a_pin_holds, details t_11_no_encryption_is_always_said, src/net/tls_tests.rs a_pin_replaces_names_and_authorities_and_nothing_else
//! * T-12 transport t_12_cut_without_good_bye, tests/it/line.rs a_line_cut_in_the_middle_is_an_error_and_never_a_short_mail, details t_12_half_a_line
//! * T-13 use_of_line t_13_odd_tls, patience limits_of_time
//! * T-14 peers t_14_nobody_is_looked_for, peers t_14_those_that_are_named_and_encrypted, peers t_14_no_name_but_the_one_that_was_typed, found t_14_who_is_asked_and_what_they_hear, found t_14_plain_is_never_taken, found t_14_no_redirect_leads_away_from_https, found t_14_records_that_lead_elsewhere, found t_14_no_password_before_consent, found t_14_each_server_is_a_question, found t_14_nobody_answers, found t_14_the_form_asks_first, src/config/discovery/tests.rs t_14_plain_is_never_taken, src/config/discovery/tests.rs t_14_others_need_the_persons_consent, src/net/https/tests.rs t_14_no_redirect_leads_away_from_https, src/net/https/tests.rs t_14_another_host_hears_nothing, src/app/screen/account/finding_tests.rs t_14_another_domain_is_agreed_to_first
//! * T-15 transport t_15_a_certificate_and_nothing_weaker, src/net/imap/tests_auth.rs t15_never_weaker, src/net/imap/tests_auth.rs a_server_must_prove_itself, src/net/scram.rs a_server_that_plays_tricks_is_left, details t_15_the_strongest_or_nothing
//! * T-16 use_of_line t_16_tokens, src/net/imap/tests_auth.rs a_refused_token_says_why, src/engine/password.rs a_token_is_refreshed_once_a_minute
//! * T-17 use_of_line t_17_login_disabled_after_tls, src/net/imap/tests_login.rs t17_no_login_where_none_is_offered
//! * T-18 src/net/wire_tests.rs t18_a_bomb_ends_the_connection
//! * T-19 use_of_line t_19_no_storm, src/base/backoff.rs twenty_connects_in_ten_minutes_at_most
//! * S-01 sizes s_01_huge_literals, patience limits_of_time
//! * S-02 src/net/imap/tests.rs s01_to_s03_literals, details s_02_sizes_that_are_none
//! * S-03 sizes s_03_literals_of_another_length
//! * S-04 sizes s_04_floods
//! * S-05 sizes s_05_cancelled_at_once, sizes s_05_frames, patience limits_of_time
//! * S-06 sizes s_06_impossible_counts
//! * S-07 rows s_07_counts_that_shrink
//! * S-08 rows s_08_uidnext_lies
//! * S-09 rows s_09_rows_of_no_message
//! * S-10 rows s_10_uids_twice, rows s_10_once_an_hour, src/net/imap/tests.rs s06_to_s12_rows
//! * S-11 rows s_11_another_text
//! * S-12 sizes s_12_unasked_texts
//! * S-13 wishes s_13_vanished, wishes s_13_most_of_a_mailbox, src/net/imap/tests.rs s18_sets_cost_nothing
//! * S-14 wishes s_14_by_uid_only, src/net/imap/tests.rs s14_s29_changes
//! * S-15 wishes s_15_good_byes, wishes s_15_a_good_bye_in_the_middle, src/net/imap/tests.rs s15_good_byes, details s_15_good_byes_elsewhere
//! * S-16 wishes s_16_tags, src/net/imap/tests.rs s16_tags
//! * S-17 sizes s_17_capabilities
//! * S-18 sizes s_18_searches
//! * S-19 rows s_19_modseq_lies, details s_19_rows_of_the_future, tests/it/watch.rs stars_that_no_number_tells_of
//! * S-20 sizes s_20_flags
//! * S-21 wishes s_21_renumbered_with_wishes, numbers s_21_by_email_id, numbers s_21_by_mailbox_id, numbers s_21_a_mailbox_that_counts_anew, goals s_21_a_goal_is_followed, strays s_21_a_lost_copy_is_looked_for_where_it_went, strays s_21_a_copy_that_strayed, strays s_21_a_move_that_strayed, strays s_21_an_append_that_strayed, strays s_21_an_append_that_strayed_and_nobody_said_so, goals s_21_a_goal_that_cannot_be_told, goals s_21_a_goal_numbered_anew, goals s_21_a_goal_that_is_gone, goals s_21_a_source_is_followed, goals s_21_both_numbered_anew, goals s_21_a_mailbox_to_be_renamed_that_cannot_be_told, goals s_21_nothing_else_is_deleted, goals s_21_nothing_else_is_renamed, tests/it/live.rs a_mailbox_numbered_anew_keeps_what_was_wished
//! * S-22 wishes s_22_never_the_same_numbers, details s_22_it_is_said, details s_22_over_restarts, numbers s_22_what_waits, numbers s_22_numbers_that_are_none
//! * S-23 names s_23_names
//! * S-24 names s_24_no_injection, src/net/imap/tests.rs s24_no_name_ends_a_line, details s_24_no_injection_elsewhere
//! * S-25 names s_25_odd_trees
//! * S-26 names s_26_words_of_servers, names s_26_words_of_submission
//! * S-27 names s_27_idle_floods, src/app/pace.rs the_first_is_taken_at_once_and_others_together, src/net/dial.rs connects_and_refuses, src/net/imap/tests.rs s27_idle, src/net/imap/tests.rs s27_silence_is_looked_into, tests/it/watch.rs a_line_that_says_nothing_is_asked_and_replaced, tests/it/wake.rs lines_that_died_in_sleep_are_replaced_at_once, src/engine/jolt.rs waking_is_told_from_a_clock_that_was_set
//! * S-28 rows s_28_envelopes_that_lie, rows s_28_files_that_are_not_so, details s_28_what_else_is_not_so, details s_28_sizes_that_are_not_so
//! * S-29 wishes s_29_copies_that_are_none, wishes s_29_numbers_of_copies_that_lie, wishes s_29_numbers_of_sent_copies_that_lie
//! * S-30 details s_30_outcomes, details s_30_in_the_reader
//! * F-01 tests/crash/main.rs a_day_at_a_server, tests/crash/main.rs a_day_on_this_machine, tests/crash/matrix.rs both_sides_at_once_killed_after_each_step, tests/crash/lives.rs a_move_in_two_accounts, tests/crash/written.rs a_mail_is_written_kept_and_sent, tests/crash/older.rs an_older_cache_and_journal, tests/crash/older.rs an_index_that_is_built_anew, tests/crash/texts.rs texts_that_came_open_and_are_found_after_each_death, tests/crash/asked.rs what_was_asked_for_survives_each_death
//! * F-02 tests/crash/main.rs a_day_at_a_server, src/engine/plan/model/laws.rs alone_the_server_gets_exactly_what_the_person_did
//! * F-03 tests/day/main.rs a_day, src/engine/plan/model/laws.rs killed_after_every_single_step_the_end_is_the_same
//! * F-04 faults f_04_calls_that_fail, faults f_04_calls_that_do_a_part, faults f_04_files_that_may_not_grow
//! * F-05 faults f_05_a_full_disk, faults f_05_a_disk_without_room_under_the_reader, src/store/faults.rs a_full_disk_is_told_and_takes_nothing_that_was_there
//! * F-06 files f_06_damaged_files, flips f_06_a_byte_of_the_cache, flips f_06_a_byte_of_the_state, flips f_06_drafts_are_rescued, src/store/tests.rs a_newer_state_is_left_alone_and_a_damaged_one_is_not_replaced, src/store/faults.rs a_flipped_byte_is_found_or_harmless_and_never_reaches_the_state, src/engine/setup.rs a_cache_whose_tables_are_not_ours_is_begun_anew
//! * F-07 files f_07_the_cache_goes, files f_07_what_is_not_in_the_cache
//! * F-08 power f_08_power_loss
//! * F-09 files f_09_two_programs, files f_09_sent_once
//! * F-10 panics f_10_workers_go_on, panics f_10_a_poisonous_mail, panics f_10_twice_and_left_out, panics f_10_a_mail_that_cannot_be_displayed, panics f_10_the_screen_itself, src/base/spawn.rs a_panic_becomes_its_message, src/store/poison.rs twice_and_no_more_until_a_newer_program_comes, src/store/tests.rs a_failing_job_takes_nothing_with_it
//! * F-11 files f_11_the_terminal_goes, files f_11_the_line_to_the_terminal_breaks, files f_11_a_terminal_that_takes_nothing, hour f_11_stopped_for_an_hour
//! * F-12 tests/it/faults.rs a_line_of_a_thousand_octets_a_second, tests/it/faults.rs cut_from_the_server_in_good_order, tests/it/faults.rs a_slow_line, tests/crash/lines.rs each_scenario_over_each_bad_line, tests/it/cuts.rs random_cuts_make_nothing_twice, portal f_12_networks_that_lead_elsewhere, tests/it/crumbs.rs rows_of_broken_lines_count_with_qresync, tests/it/crumbs.rs rows_of_broken_lines_count_with_condstore, tests/it/crumbs.rs rows_of_broken_lines_count_with_neither, tests/it/crumbs.rs texts_of_broken_lines_count, tests/it/crumbs.rs lines_that_bring_something_follow_soon
//! * F-13 tests/it/soak.rs soak, wishes s_14_by_uid_only
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod anew;
mod bed;
mod cert;
mod details;
mod drafts;
mod faults;
mod files;
mod finder;
mod flips;
#[cfg(feature = "fault")]
mod found;
mod gmail;
mod goals;
mod hour;
mod imap;
mod inside;
mod line;
mod map;
mod names;
mod numbers;
mod oracle;
#[cfg(feature = "fault")]
mod panics;
mod patience;
mod peers;
mod portal;
mod power;
mod records;
mod roles;
mod rows;
#[path = "../day/screen.rs"]
mod screen;
mod sizes;
mod smtp;
mod strays;
mod transport;
mod use_of_line;
mod waits;
mod wire;
mod wishes;
mod words;
