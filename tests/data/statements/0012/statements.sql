-- name: base__lock_ordering_key
-- Ids of one ordering key are then given in the order in which their transactions commit.
SELECT pg_advisory_xact_lock(hashtext('outbox ' || $1::text), hashtext($2::text));

-- name: base__enqueue_message
-- NOTIFY reaches the senders at the commit, once a channel and transaction.
WITH added AS (
    INSERT INTO outbox (channel, key, ordering_key, payload) VALUES ($1, $2, $3, $4)
    ON CONFLICT (channel, key) DO NOTHING
    RETURNING channel
)
SELECT pg_notify('hotline_outbox', channel) FROM added;

-- name: base__lease_messages
-- One channel: then its index gives the order, and a long backlog costs nothing.
-- States 'sent' and 'dead' are final: whatever the age of this statement's view, a message whose
-- forerunners are gone in it may go. A row that another has just leased fails `due_at` on recheck.
WITH due AS MATERIALIZED (
    SELECT id FROM outbox AS candidate
    WHERE channel = $1 AND state IN ('pending', 'sending') AND due_at <= now()
        AND (ordering_key = '' OR NOT EXISTS (
            SELECT FROM outbox AS forerunner
            WHERE forerunner.channel = candidate.channel
                AND forerunner.ordering_key = candidate.ordering_key
                AND forerunner.ordering_key <> ''
                AND forerunner.state IN ('pending', 'sending')
                AND forerunner.id < candidate.id))
    ORDER BY due_at, id
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox SET state = 'sending', fence = fence + 1, attempts = attempts + 1,
    due_at = now() + $3::float8 * interval '1 second'
FROM due WHERE outbox.id = due.id
RETURNING outbox.id, channel, key, ordering_key, payload, attempts, fence;

-- name: base__mark_sent
UPDATE outbox SET state = 'sent', settled_at = now(), last_error = ''
WHERE id = $1 AND fence = $2 AND state = 'sending'
RETURNING id;

-- name: base__mark_failed
UPDATE outbox SET state = 'pending', last_error = $3,
    due_at = now() + $4::float8 * interval '1 second'
WHERE id = $1 AND fence = $2 AND state = 'sending'
RETURNING id;

-- name: base__mark_dead
UPDATE outbox SET state = 'dead', settled_at = now(), last_error = $3
WHERE id = $1 AND fence = $2 AND state = 'sending'
RETURNING id;

-- name: base__bury_unanswered
-- Senders that died or froze in every attempt: whether the receiver has it, nobody knows.
WITH over AS MATERIALIZED (
    SELECT id FROM outbox
    WHERE channel = $1 AND state = 'sending' AND due_at <= now()
        AND attempts >= $2::integer
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox SET state = 'dead', settled_at = now(), fence = fence + 1,
    last_error = 'sender_lost'
FROM over WHERE outbox.id = over.id
RETURNING outbox.id, channel, key, attempts;

-- name: base__outbox_standing
SELECT channel, count(*) FILTER (WHERE state = 'pending') AS pending,
    count(*) FILTER (WHERE state = 'sending') AS sending,
    count(*) FILTER (WHERE state = 'dead') AS dead,
    min(enqueued_at) FILTER (WHERE state <> 'dead') AS oldest_at
FROM outbox
WHERE state IN ('pending', 'sending') OR state = 'dead'
GROUP BY channel ORDER BY channel;

-- name: base__dead_messages
SELECT channel, key, attempts, last_error, enqueued_at, settled_at FROM outbox
WHERE state = 'dead' ORDER BY settled_at DESC LIMIT $1;

-- name: base__forget_sent_messages
SELECT hotline.forget_sent_messages($1, $2);

-- name: server_records__keep_move
-- Written again after a crash, it is the same row.
INSERT INTO agent_moves (number, agent, at, old, event, new, reason, call_id, by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (number) DO NOTHING;

-- name: server_records__keep_call
-- What is known is never erased by what is not. The earliest instants win: a bridge that starts in
-- the middle of a call sees only that it has been answered.
INSERT INTO calls AS known (
    id, caller_number, caller_name, called_number, arrived_at, queue, queued_at, agent,
    answered_at, ended_at, outcome, emergency_line)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO UPDATE SET
    caller_number  = coalesce(nullif(excluded.caller_number, ''), known.caller_number),
    caller_name    = coalesce(nullif(excluded.caller_name, ''), known.caller_name),
    called_number  = coalesce(nullif(excluded.called_number, ''), known.called_number),
    arrived_at     = least(excluded.arrived_at, known.arrived_at),
    queue          = coalesce(excluded.queue, known.queue),
    queued_at      = least(excluded.queued_at, known.queued_at),
    agent          = coalesce(excluded.agent, known.agent),
    answered_at    = least(excluded.answered_at, known.answered_at),
    ended_at       = coalesce(excluded.ended_at, known.ended_at),
    outcome        = coalesce(excluded.outcome, known.outcome),
    emergency_line = coalesce(excluded.emergency_line, known.emergency_line);

-- name: server_records__keep_recording
-- The recording may be there before its call's facts: then it brings the row.
INSERT INTO calls (id, arrived_at, recording_path, recording_sha256) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET
    recording_path = excluded.recording_path, recording_sha256 = excluded.recording_sha256;

-- name: server_records__keep_ring
INSERT INTO rings (id, call_id, agent, rang_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO NOTHING;

-- name: server_records__end_ring
UPDATE rings SET ended_by = $2, ended_at = $3 WHERE id = $1 AND ended_at IS NULL;

-- name: server_records__end_rings
UPDATE rings SET ended_at = $3, ended_by = CASE
    WHEN agent = $2 THEN 'answered'
    WHEN $2::text IS NOT NULL THEN 'answered_elsewhere'
    ELSE 'caller_left' END
WHERE call_id = $1 AND ended_at IS NULL;

-- name: server_records__unended_calls
SELECT id, agent, arrived_at, answered_at FROM calls WHERE ended_at IS NULL ORDER BY arrived_at;

-- name: server_records__latest_arrival
SELECT arrived_at FROM calls ORDER BY arrived_at DESC LIMIT 1;

-- name: server_records__ends_of_calls
SELECT id, ended_at FROM calls WHERE id = ANY ($1::text[]);

-- name: server_records__call_by_id
SELECT id, caller_number, caller_name, called_number, arrived_at, queue, queued_at, agent,
       answered_at, ended_at, outcome, emergency_line
FROM calls WHERE id = $1;

-- name: server_records__recording_of_call
SELECT recording_path, recording_sha256 FROM calls
WHERE id = $1 AND recording_path IS NOT NULL;

-- name: server_records__last_unconfirmed
-- The latest only: an earlier one that was left without a ticket was left so by the agent.
SELECT latest.id
FROM (SELECT id FROM calls WHERE agent = $1 AND ended_at IS NOT NULL
      ORDER BY ended_at DESC LIMIT 1) AS latest
LEFT JOIN tickets ON tickets.call_id = latest.id
WHERE tickets.number IS NULL;

-- name: server_records__former_calls
SELECT calls.id, calls.arrived_at, calls.outcome, calls.agent, tickets.number
FROM calls LEFT JOIN tickets ON tickets.call_id = calls.id
WHERE calls.caller_number = $1 AND calls.caller_number <> '' AND calls.id <> $2
ORDER BY calls.arrived_at DESC LIMIT $3;

-- name: server_records__keep_handover
INSERT INTO emergency_handovers (
    handover, call_id, line, source, agent, caller_number, caller_name, asked_at, tries, trunk,
    answered_at, ended_at, outcome)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (handover) DO UPDATE SET
    tries = excluded.tries, trunk = excluded.trunk, answered_at = excluded.answered_at,
    ended_at = excluded.ended_at, outcome = excluded.outcome;

-- name: server_records__latest_handover
SELECT max(asked_at) FROM emergency_handovers;

-- name: server_records__handovers_of_call
SELECT handover, call_id, line, source, agent, caller_number, caller_name, asked_at, tries, trunk,
       answered_at, ended_at, outcome
FROM emergency_handovers WHERE call_id = $1 ORDER BY asked_at;

-- name: server_records__handovers_since
SELECT handover, call_id, line, source, agent, caller_number, caller_name, asked_at, tries, trunk,
       answered_at, ended_at, outcome
FROM emergency_handovers WHERE asked_at >= $1 ORDER BY asked_at DESC LIMIT $2;

-- name: server_records__want_late_leg
INSERT INTO late_legs (call_id, speaker) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: server_records__lease_late_leg
-- The newest first: its agent is wrapping the call up. $2: most attempts; $3: seconds beyond the
-- twofold length of the conversation.
UPDATE late_legs AS leg SET
    stream = $1, attempts = leg.attempts + 1,
    leased_until = now() + 2 * (calls.ended_at - calls.answered_at) + make_interval(secs => $3)
FROM calls
WHERE calls.id = leg.call_id AND (leg.call_id, leg.speaker) = (
    SELECT free.call_id, free.speaker
    FROM late_legs AS free JOIN calls AS ended ON ended.id = free.call_id
    WHERE free.done_at IS NULL AND free.leased_until < now() AND free.attempts < $2
      AND ended.recording_path IS NOT NULL
      AND ended.answered_at IS NOT NULL AND ended.ended_at > ended.answered_at
    ORDER BY ended.ended_at DESC, free.speaker DESC
    LIMIT 1 FOR UPDATE OF free SKIP LOCKED)
RETURNING leg.call_id, leg.speaker, calls.recording_path,
    extract(epoch FROM calls.ended_at - calls.answered_at)::float8 AS talk_s;

-- name: server_records__end_late_leg
-- Only the holder of the lease ends it, once.
UPDATE late_legs SET done_at = now() WHERE stream = $1 AND done_at IS NULL RETURNING call_id;

-- name: server_records__put_back_late_leg
-- Again after a pause that grows with each attempt.
UPDATE late_legs SET leased_until = now() + attempts * interval '30 seconds'
WHERE stream = $1 AND done_at IS NULL;

-- name: server_records__keep_line
-- A stored line gives way only to a higher revision.
INSERT INTO utterances AS known (
    call_id, speaker, number, revision, text, start_s, end_s, words, confidence, engine, model)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (call_id, speaker, number) DO UPDATE SET
    revision = excluded.revision, text = excluded.text, start_s = excluded.start_s,
    end_s = excluded.end_s, words = excluded.words, confidence = excluded.confidence,
    engine = excluded.engine, model = excluded.model, stored_at = now()
WHERE excluded.revision > known.revision;

-- name: server_records__lines_of_call
SELECT speaker, number, revision, text, start_s, end_s, confidence, engine, model
FROM utterances WHERE call_id = $1 ORDER BY start_s, speaker, number;

-- name: server_records__keep_draft
-- A confirmed draft is closed.
INSERT INTO drafts AS known (call_id, version, machine, agent, updated_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (call_id) DO UPDATE SET
    version = excluded.version, machine = excluded.machine, agent = excluded.agent,
    updated_at = excluded.updated_at
WHERE excluded.version > known.version AND known.confirmed_at IS NULL;

-- name: server_records__draft_by_call
SELECT drafts.version, drafts.machine, drafts.agent, tickets.number AS ticket_number
FROM drafts LEFT JOIN tickets ON tickets.call_id = drafts.call_id
WHERE drafts.call_id = $1;

-- name: server_accounts__insert_user
INSERT INTO users (id, username, display_name, role, agent, unit, password_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id;

-- name: server_accounts__set_password
UPDATE users SET password_hash = $2, changed_at = now() WHERE username = $1 RETURNING id;

-- name: server_accounts__close_sessions_of_user
DELETE FROM sessions WHERE user_id = $1;

-- name: server_accounts__list_users
SELECT id, username, display_name, role, agent, is_active FROM users ORDER BY username;

-- name: server_accounts__usernames
SELECT username FROM users;

-- name: server_accounts__set_active
UPDATE users SET is_active = $2, changed_at = now() WHERE username = $1 RETURNING id;

-- name: server_admission__former_queues
-- Each caller's last answered queue, where it takes its callers back. $1: those; $2: days; $3: most.
SELECT caller_number, queue FROM (
    SELECT DISTINCT ON (caller_number) caller_number, queue, arrived_at
    FROM calls
    WHERE caller_number <> '' AND answered_at IS NOT NULL AND queue IS NOT NULL
      AND arrived_at > now() - make_interval(days => $2)
    ORDER BY caller_number, arrived_at DESC
) AS latest
WHERE queue = ANY ($1::text[])
ORDER BY arrived_at DESC LIMIT $3;

-- name: server_sign_in__user_to_sign_in
SELECT id, username, display_name, role, agent, unit, password_hash
FROM users WHERE username = $1 AND is_active;

-- name: server_sign_in__count_attempt
-- Counted before the password is looked at: guesses sent at the same time are all counted. An
-- attempt while blocked is not counted. Not blocked is "-infinity", not now: of two attempts at one
-- moment the second to be counted may carry the earlier $2. $2 now, $3 free attempts, $4 forget after (seconds).
INSERT INTO login_attempts AS known (key, attempts, tried_at, blocked_until)
VALUES ($1, 1, $2, '-infinity')
ON CONFLICT (key) DO UPDATE SET
    attempts = CASE WHEN known.tried_at < $2 - make_interval(secs => $4) THEN 1
                    ELSE known.attempts + 1 END,
    tried_at = $2,
    blocked_until = CASE
        WHEN known.tried_at < $2 - make_interval(secs => $4) OR known.attempts + 1 < $3
        THEN '-infinity'
        ELSE $2 + make_interval(secs => least(300, power(2, least(known.attempts + 1 - $3, 10))))
    END
WHERE known.blocked_until <= $2
RETURNING attempts;

-- name: server_sign_in__blocked_until
SELECT blocked_until FROM login_attempts WHERE key = $1;

-- name: server_sign_in__forget_attempts
DELETE FROM login_attempts WHERE key = ANY($1::bytea[]);

-- name: server_sign_in__give_attempt_back
UPDATE login_attempts SET attempts = greatest(0, attempts - 1) WHERE key = $1;

-- name: server_sign_in__forget_old_attempts
DELETE FROM login_attempts WHERE tried_at < $1;

-- name: server_sign_in__open_session
INSERT INTO sessions (token_hash, user_id, opened_at, expires_at) VALUES ($1, $2, $3, $4);

-- name: server_sign_in__session_user
SELECT users.id, users.username, users.display_name, users.role, users.agent, users.unit
FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.token_hash = $1 AND sessions.expires_at > $2 AND users.is_active;

-- name: server_sign_in__close_session
DELETE FROM sessions WHERE token_hash = $1;

-- name: server_sign_in__forget_old_sessions
DELETE FROM sessions WHERE expires_at <= $1;

-- name: tickets__log_access
INSERT INTO access_log (user_id, unit, ticket_id, act, fields, reason)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: tickets__accesses_of_ticket
SELECT at, user_id, unit, act, fields, reason FROM access_log WHERE ticket_id = $1 ORDER BY id;

-- name: tickets__caller_in_clear
SELECT caller_name AS name, coalesce(nullif(contact_number, ''), caller_number) AS number,
    recused_users
FROM tickets WHERE id = $1;

-- name: tickets__lock_ledger
SELECT pg_advisory_xact_lock(hashtextextended('ledger of ticket ' || $1, 0));

-- name: tickets__last_entry
SELECT seq, hash FROM ledger WHERE ticket_id = $1 ORDER BY seq DESC LIMIT 1;

-- name: tickets__append_entry
INSERT INTO ledger (ticket_id, seq, at, actor, action, reason, article, body, prev_hash, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: tickets__entries_of_ticket
SELECT ticket_id, seq, at, actor, action, reason, article, body, prev_hash, hash
FROM ledger WHERE ticket_id = $1 ORDER BY seq;

-- name: tickets__entries_between
SELECT ticket_id, seq, hash FROM ledger WHERE entered_at > $1 AND entered_at <= $2
ORDER BY ticket_id, seq;

-- name: tickets__tickets_after
SELECT id, number, version, state, is_withheld, title, content, demand, place, occurred,
    caller_name, caller_number, contact_number
FROM tickets WHERE id > $1 ORDER BY id LIMIT $2;

-- name: tickets__entries_of_tickets
SELECT ticket_id, seq, at, actor, action, reason, article, body, prev_hash, hash
FROM ledger WHERE ticket_id = ANY ($1::uuid[]) ORDER BY ticket_id, seq;

-- name: tickets__lock_call
-- One confirmation of a call at a time; needs no privilege and ends with the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('ticket of call ' || $1, 0));

-- name: tickets__ticket_of_call
SELECT id, number, call_id, channel, type, topic, title, content, demand, place, occurred,
       urgency, caller_name, caller_number, contact_number, wants_reply, confidential, state,
       created_by, created_at, entered_at, version
FROM tickets WHERE call_id = $1;

-- name: tickets__ticket_by_number
SELECT id, number, call_id, channel, type, topic, title, content, demand, place, occurred,
       urgency, caller_name, caller_number, contact_number, wants_reply, confidential, state,
       created_by, created_at, entered_at, version
FROM tickets WHERE number = $1;

-- name: tickets__draft_of_call
SELECT version, machine, agent FROM drafts WHERE call_id = $1;

-- name: tickets__next_number_of_day
-- The row stays locked until the commit: no hole, no double.
INSERT INTO ticket_days AS days (day, last_number) VALUES ($1, 1)
ON CONFLICT (day) DO UPDATE SET last_number = days.last_number + 1
RETURNING last_number;

-- name: tickets__insert_ticket
INSERT INTO tickets (
    id, number, call_id, channel, message, type, topic, domain, region, title, content, demand,
    place, occurred, urgency, matter, lane, staff, caller_name, caller_number, contact_number,
    wants_reply, confidential, is_reachable, is_truth_notice_given, accused_units, accused_people,
    former, contact, state, draft, created_by, created_at, pack_name, pack_version, pack_hash)
SELECT id, number, call_id, channel, message, type, topic, domain, region, title, content, demand,
    place, occurred, urgency, matter, lane, staff, caller_name, caller_number, contact_number,
    wants_reply, confidential, is_reachable, is_truth_notice_given, accused_units, accused_people,
    former, contact, state, draft, created_by, created_at, pack_name, pack_version, pack_hash
FROM jsonb_populate_record(NULL::tickets, $1)
RETURNING id, number, call_id, channel, type, topic, title, content, demand, place, occurred,
       urgency, caller_name, caller_number, contact_number, wants_reply, confidential, state,
       created_by, created_at, entered_at, version;

-- name: tickets__insert_correction
INSERT INTO ticket_corrections (ticket_id, field, machine_value, final_value, evidence)
VALUES ($1, $2, $3, $4, $5);

-- name: tickets__mark_draft_confirmed
UPDATE drafts SET confirmed_at = $2 WHERE call_id = $1 AND confirmed_at IS NULL;

-- name: tickets__corrections_of_ticket
SELECT field, machine_value, final_value, evidence
FROM ticket_corrections WHERE ticket_id = $1 ORDER BY field;

-- name: tickets__draft_of_ticket
SELECT draft FROM tickets WHERE id = $1;

-- name: tickets__former_tickets
SELECT number, title, type, state, created_at
FROM tickets WHERE caller_number = $1 AND caller_number <> ''
ORDER BY created_at DESC LIMIT $2;

-- name: tickets__drop_timers
-- What a ticket no longer waits for: all of it that has not fired and is not in the new list.
DELETE FROM timers t
WHERE t.ticket_id = $1 AND t.fired_at IS NULL AND NOT EXISTS (
    SELECT FROM jsonb_to_recordset($2) AS w (kind text, subject text, due_at timestamptz)
    WHERE w.kind = t.kind AND w.subject = t.subject AND w.due_at = t.due_at);

-- name: tickets__add_timers
-- One that has fired is not made again.
INSERT INTO timers (ticket_id, kind, subject, due_at)
SELECT $1, w.kind, w.subject, w.due_at
FROM jsonb_to_recordset($2) AS w (kind text, subject text, due_at timestamptz)
ON CONFLICT DO NOTHING;

-- name: tickets__next_timer
-- The longest due, and of its ticket the earliest, of a ticket that nobody is at: so a night's timers
-- of one ticket fire in their order, by however many sweepers. The ticket is locked, as by a move.
SELECT t.ticket_id::text, t.kind, t.subject, t.due_at
FROM timers t JOIN tickets k ON k.id = t.ticket_id
WHERE t.fired_at IS NULL AND t.due_at <= $1 AND NOT EXISTS (
    SELECT FROM timers e
    WHERE e.ticket_id = t.ticket_id AND e.fired_at IS NULL
        AND (e.due_at, e.kind, e.subject) < (t.due_at, t.kind, t.subject))
ORDER BY t.due_at, t.ticket_id
LIMIT 1
FOR UPDATE OF k SKIP LOCKED;

-- name: tickets__mark_fired
UPDATE timers SET fired_at = $5
WHERE ticket_id = $1::text::uuid AND kind = $2 AND subject = $3 AND due_at = $4
    AND fired_at IS NULL
RETURNING true;

-- name: tickets__overdue_timers
SELECT count(*) FROM timers WHERE fired_at IS NULL AND due_at <= $1;

-- name: tickets__units_around
-- The named units with all that stand above them, as they were at an instant.
WITH RECURSIVE around AS (
    SELECT u.* FROM units u
    WHERE u.id = ANY ($1) AND u.valid_from <= $2 AND $2 < u.valid_to
    UNION
    SELECT u.* FROM units u JOIN around ON u.id = around.parent
    WHERE u.valid_from <= $2 AND $2 < u.valid_to)
SELECT to_jsonb(around) AS unit FROM around;

-- name: tickets__units_at
SELECT to_jsonb(u) AS unit FROM units u WHERE u.valid_from <= $1 AND $1 < u.valid_to ORDER BY id;

-- name: tickets__shifts_at
SELECT to_jsonb(s) AS shift FROM shifts s
WHERE s.unit = ANY ($1) AND s.begins_at <= $2 AND $2 < s.ends_at;

-- name: tickets__open_locked_lanes
-- For this transaction alone; said by the program for supervision and timers.
SELECT set_config('hotline.locked_lanes', 'open', true);

-- name: tickets__facts_of_ticket
-- A ticket with all that belongs to it, as the JSON of tickets.facts.TicketFacts.
SELECT to_jsonb(t) || jsonb_build_object(
    'pack', jsonb_build_object(
        'name', t.pack_name, 'version', t.pack_version, 'hash', t.pack_hash),
    'is_confidential', t.confidential,
    'contact', coalesce(t.contact, t.id),
    'former_state', f.state,
    'is_former_same_caller', coalesce(
        f.id IS NOT NULL AND t.caller_number <> '' AND f.caller_number = t.caller_number, false),
    'assignments', (SELECT coalesce(jsonb_agg(to_jsonb(a) ORDER BY a.dispatched_at, a.id), '[]')
        FROM assignments a WHERE a.ticket_id = t.id),
    'requests', (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.asked_at, r.id), '[]')
        FROM unit_requests r WHERE r.ticket_id = t.id),
    'follow_ups', (SELECT coalesce(jsonb_agg(to_jsonb(u) ORDER BY u.number), '[]')
        FROM follow_ups u WHERE u.ticket_id = t.id),
    'explanations', (SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.number), '[]')
        FROM explanations e WHERE e.ticket_id = t.id),
    'consults', (SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY c.number), '[]')
        FROM consults c WHERE c.ticket_id = t.id))
    - '{draft,title,content,demand,place,occurred,caller_name,caller_number,contact_number}'::text[]
FROM tickets t LEFT JOIN tickets f ON f.id = t.former
WHERE t.id = $1;

-- name: tickets__id_of_number
SELECT id::text FROM tickets WHERE number = $1;

-- name: tickets__update_ticket
-- Nothing comes back when somebody else moved it first.
UPDATE tickets t SET (version, state, pack_name, pack_version, pack_hash, type, domain, region,
    urgency, matter, confidential, wants_reply, dispatch_count, round, redo_count, escalation,
    decided_unit, reply_due_at, completion_due_at, closed_at, accused_units, accused_people,
    recused_units, recused_users, urge_count, is_supervised)
= (r.version, r.state, r.pack_name, r.pack_version, r.pack_hash, r.type, r.domain, r.region,
    r.urgency, r.matter, r.confidential, r.wants_reply, r.dispatch_count, r.round, r.redo_count,
    r.escalation, r.decided_unit, r.reply_due_at, r.completion_due_at, r.closed_at,
    r.accused_units, r.accused_people, r.recused_units, r.recused_users, r.urge_count,
    r.is_supervised)
FROM jsonb_populate_record(NULL::tickets, $1) r
WHERE t.id = r.id AND t.version = $2
RETURNING t.version;

-- name: tickets__put_assignments
INSERT INTO assignments (id, ticket_id, unit, part, state, parent, round, is_designated,
    dispatched_at, dispatched_by, sign_due_at, contact_due_at, feedback_due_at, completion_due_at,
    completion_basis, signed_at, contact_tries, contacted_at, interim_at, fed_back_at,
    caller_told_at, outcome, reply)
SELECT id, ticket_id, unit, part, state, parent, round, is_designated, dispatched_at,
    dispatched_by, sign_due_at, contact_due_at, feedback_due_at, completion_due_at,
    completion_basis, signed_at, contact_tries, contacted_at, interim_at, fed_back_at,
    caller_told_at, outcome, reply
FROM jsonb_populate_recordset(NULL::assignments, $1)
ON CONFLICT (id) DO UPDATE SET (part, state, round, sign_due_at, contact_due_at, feedback_due_at,
    completion_due_at, completion_basis, signed_at, contact_tries, contacted_at, interim_at,
    fed_back_at, caller_told_at, outcome, reply)
= (excluded.part, excluded.state, excluded.round, excluded.sign_due_at, excluded.contact_due_at,
    excluded.feedback_due_at, excluded.completion_due_at, excluded.completion_basis,
    excluded.signed_at, excluded.contact_tries, excluded.contacted_at, excluded.interim_at,
    excluded.fed_back_at, excluded.caller_told_at, excluded.outcome, excluded.reply);

-- name: tickets__put_requests
INSERT INTO unit_requests (id, ticket_id, assignment, kind, state, ground, reason, basis, asked_at,
    asked_by, new_due_at, decided_at, decided_by, decision, told_at)
SELECT id, ticket_id, assignment, kind, state, ground, reason, basis, asked_at, asked_by,
    new_due_at, decided_at, decided_by, decision, told_at
FROM jsonb_populate_recordset(NULL::unit_requests, $1)
ON CONFLICT (id) DO UPDATE SET (state, decided_at, decided_by, decision, told_at)
= (excluded.state, excluded.decided_at, excluded.decided_by, excluded.decision, excluded.told_at);

-- name: tickets__put_follow_ups
INSERT INTO follow_ups (ticket_id, number, round, channel, at, by, is_reached, is_solved,
    is_satisfied, reason, is_reasonable, is_lawful, is_unhandled, is_handling_faulty)
SELECT ticket_id, number, round, channel, at, by, is_reached, is_solved, is_satisfied, reason,
    is_reasonable, is_lawful, is_unhandled, is_handling_faulty
FROM jsonb_populate_recordset(NULL::follow_ups, $1);

-- name: tickets__put_explanations
INSERT INTO explanations (ticket_id, number, ground, question, asked_at, answer, answered_at,
    answered_by)
SELECT ticket_id, number, ground, question, asked_at, answer, answered_at, answered_by
FROM jsonb_populate_recordset(NULL::explanations, $1)
ON CONFLICT (ticket_id, number) DO UPDATE SET (answer, answered_at, answered_by)
= (excluded.answer, excluded.answered_at, excluded.answered_by);

-- name: tickets__put_consults
INSERT INTO consults (ticket_id, number, unit, question, asked_at, answer, answered_at)
SELECT ticket_id, number, unit, question, asked_at, answer, answered_at
FROM jsonb_populate_recordset(NULL::consults, $1)
ON CONFLICT (ticket_id, number) DO UPDATE SET (answer, answered_at)
= (excluded.answer, excluded.answered_at);

-- name: tickets__insert_contact_attempt
INSERT INTO contact_attempts (ticket_id, version, assignment, tried_at, by, is_reached, result,
    call)
SELECT ticket_id, version, assignment, tried_at, by, is_reached, result, call
FROM jsonb_populate_record(NULL::contact_attempts, $1);

-- name: tickets__insert_refusal
INSERT INTO refusals (ticket_id, version, kind, reason, told, told_at, refer_to, article, by)
SELECT ticket_id, version, kind, reason, told, told_at, refer_to, article, by
FROM jsonb_populate_record(NULL::refusals, $1);

-- name: tickets__insert_rating
INSERT INTO ratings (ticket_id, version, at, by, stars, reasons, text)
SELECT ticket_id, version, at, by, stars, reasons, text
FROM jsonb_populate_record(NULL::ratings, $1);

-- name: tickets__withhold_texts
SELECT hotline.withhold_texts($1, $2);

-- name: tickets__lock_message
-- One message of a channel at a time; ends with the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('message ' || $1 || ' ' || $2, 0));

-- name: tickets__ticket_of_message
SELECT id::text FROM tickets WHERE channel = $1 AND message = $2;

-- name: tickets__former_of_number
SELECT id::text, state, caller_number <> '' AND caller_number = $2 AS is_same_caller
FROM tickets WHERE number = $1;

-- name: tickets__texts_of_ticket
-- What a sibling inherits from the ticket it is split from.
SELECT channel, topic, place, occurred, caller_name, caller_number, contact_number,
    is_truth_notice_given
FROM tickets WHERE id = $1;

-- name: tickets__pack_text
SELECT text FROM packs WHERE name = $1 AND version = $2;

-- name: tickets__keep_pack
INSERT INTO packs (name, version, hash, text) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: tickets_organisation__end_unit
UPDATE units SET valid_to = $2 WHERE id = $1 AND valid_to = 'infinity' AND valid_from < $2;

-- name: tickets_organisation__begin_unit
INSERT INTO units (id, valid_from, name, parent, level, kind, regions, duties, first_responsible,
    handlers, duty_phone, working_hours)
SELECT id, $2, name, parent, level, kind, regions, duties, first_responsible, handlers,
    duty_phone, working_hours
FROM jsonb_populate_record(NULL::units, $1);

-- name: tickets_organisation__add_shift
INSERT INTO shifts (unit, begins_at, ends_at, person, phone) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING;

-- name: tickets_unit_login__set_session
-- For this transaction alone: the database itself finds out whose it is.
SELECT set_config('hotline.session', $1, true);

-- name: tickets_unit_login__caller_of_ticket
SELECT name, number FROM hotline.caller_of($1);

-- name: tickets_unit_login__reveal_caller
SELECT name, number FROM hotline.reveal_caller($1, $2);
