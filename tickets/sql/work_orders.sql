-- name: open_locked_lanes
-- For this transaction alone; said by the program for supervision and timers.
SELECT set_config('hotline.locked_lanes', 'open', true);

-- name: open_staff_complaints
-- The same for the head, who sees no other locked lane.
SELECT set_config('hotline.locked_lanes', 'staff_complaint', true);

-- name: read_for
-- For this transaction alone: lists leave out what this person stepped back from, and locked tickets
-- that are about them.
SELECT set_config('hotline.person', $1, true);

-- name: facts_of_ticket
-- A ticket with all that belongs to it, as the JSON of tickets.facts.TicketFacts.
SELECT to_jsonb(t) || jsonb_build_object(
    'pack', jsonb_build_object(
        'name', t.pack_name, 'version', t.pack_version, 'hash', t.pack_hash),
    'is_confidential', t.confidential,
    'contact', coalesce(t.contact, t.id),
    'former_state', CASE WHEN f.state <> 'archived' THEN f.state ELSE coalesce(
        (SELECT l.body ->> 'from' FROM ledger l WHERE l.ticket_id = f.id AND l.action = 'archive'
            ORDER BY l.seq DESC LIMIT 1), f.state) END,
    'is_former_rejected', EXISTS (SELECT FROM assignments x
        WHERE x.ticket_id = f.id AND x.outcome = 'rejected'),
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
        FROM consults c WHERE c.ticket_id = t.id),
    'doubts', (SELECT coalesce(jsonb_agg(to_jsonb(d) ORDER BY d.number), '[]')
        FROM reply_doubts d WHERE d.ticket_id = t.id))
    - '{draft,title,content,demand,place,occurred,caller_name,caller_number,contact_number}'::text[]
FROM tickets t LEFT JOIN tickets f ON f.id = t.former
WHERE t.id = $1;

-- name: id_of_number
SELECT id::text FROM tickets WHERE number = $1;

-- name: topic_of_ticket
SELECT topic FROM tickets WHERE id = $1;

-- name: update_ticket
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

-- name: is_moved_since
-- By anything but a reminder, which is the action $3.
SELECT EXISTS (SELECT FROM ledger WHERE ticket_id = $1 AND seq > $2 AND action <> $3);

-- name: put_assignments
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

-- name: put_requests
INSERT INTO unit_requests (id, ticket_id, assignment, kind, state, ground, reason, basis, asked_at,
    asked_by, new_due_at, decided_at, decided_by, decision, told_at)
SELECT id, ticket_id, assignment, kind, state, ground, reason, basis, asked_at, asked_by,
    new_due_at, decided_at, decided_by, decision, told_at
FROM jsonb_populate_recordset(NULL::unit_requests, $1)
ON CONFLICT (id) DO UPDATE SET (state, decided_at, decided_by, decision, told_at)
= (excluded.state, excluded.decided_at, excluded.decided_by, excluded.decision, excluded.told_at);

-- name: put_follow_ups
INSERT INTO follow_ups (ticket_id, number, round, channel, at, by, is_reached, is_solved,
    is_satisfied, reason, is_reasonable, is_lawful, is_unhandled, is_handling_faulty)
SELECT ticket_id, number, round, channel, at, by, is_reached, is_solved, is_satisfied, reason,
    is_reasonable, is_lawful, is_unhandled, is_handling_faulty
FROM jsonb_populate_recordset(NULL::follow_ups, $1);

-- name: put_explanations
INSERT INTO explanations (ticket_id, number, ground, question, asked_at, answer, answered_at,
    answered_by)
SELECT ticket_id, number, ground, question, asked_at, answer, answered_at, answered_by
FROM jsonb_populate_recordset(NULL::explanations, $1)
ON CONFLICT (ticket_id, number) DO UPDATE SET (answer, answered_at, answered_by)
= (excluded.answer, excluded.answered_at, excluded.answered_by);

-- name: put_consults
INSERT INTO consults (ticket_id, number, unit, question, asked_at, answer, answered_at)
SELECT ticket_id, number, unit, question, asked_at, answer, answered_at
FROM jsonb_populate_recordset(NULL::consults, $1)
ON CONFLICT (ticket_id, number) DO UPDATE SET (answer, answered_at)
= (excluded.answer, excluded.answered_at);

-- name: put_doubts
INSERT INTO reply_doubts (ticket_id, number, assignment, ground, note, raised_at, raised_by, is_false,
    finding, settled_at, settled_by)
SELECT ticket_id, number, assignment, ground, note, raised_at, raised_by, is_false, finding,
    settled_at, settled_by
FROM jsonb_populate_recordset(NULL::reply_doubts, $1)
ON CONFLICT (ticket_id, number) DO UPDATE SET (is_false, finding, settled_at, settled_by)
= (excluded.is_false, excluded.finding, excluded.settled_at, excluded.settled_by);

-- name: insert_contact_attempt
INSERT INTO contact_attempts (ticket_id, version, assignment, tried_at, by, is_reached, result,
    call)
SELECT ticket_id, version, assignment, tried_at, by, is_reached, result, call
FROM jsonb_populate_record(NULL::contact_attempts, $1);

-- name: insert_refusal
INSERT INTO refusals (ticket_id, version, kind, reason, told, told_at, refer_to, article, by)
SELECT ticket_id, version, kind, reason, told, told_at, refer_to, article, by
FROM jsonb_populate_record(NULL::refusals, $1);

-- name: insert_rating
INSERT INTO ratings (ticket_id, version, at, by, stars, reasons, text)
SELECT ticket_id, version, at, by, stars, reasons, text
FROM jsonb_populate_record(NULL::ratings, $1);

-- name: withhold_texts
SELECT hotline.withhold_texts($1, $2);

-- name: amend_texts
SELECT hotline.amend_texts($1, $2, $3, $4, $5);

-- name: bound_texts
-- What the ledger's ``texts_sha256`` covers (tickets.new_ticket.TEXTS).
SELECT title, content, demand, place, occurred, caller_name, caller_number, contact_number
FROM tickets WHERE id = $1;

-- name: lock_message
-- One message of a channel at a time; ends with the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('message ' || $1 || ' ' || $2, 0));

-- name: ticket_of_message
SELECT id::text FROM tickets WHERE channel = $1 AND message = $2;

-- name: former_of_number
-- Of a ticket that was itself settled as a repeat: what it repeated, which stands for both (R072).
-- One of a locked lane is there for a report of such a lane alone.
SELECT coalesce((SELECT t.former FROM refusals r WHERE r.ticket_id = t.id AND r.kind = 'repeat'
        AND r.version = (SELECT max(version) FROM refusals WHERE ticket_id = t.id)
        AND t.state IN ('repeat_answered', 'not_accepted', 'archived')
        AND NOT EXISTS (SELECT FROM assignments a WHERE a.ticket_id = t.id)), t.id)::text
FROM tickets t WHERE t.number = $1 AND (t.lane = 'ordinary' OR $2 <> 'ordinary');

-- name: texts_of_ticket
-- What a sibling inherits from the ticket it is split from.
SELECT channel, topic, place, occurred, caller_name, caller_number, contact_number,
    is_truth_notice_given
FROM tickets WHERE id = $1;

-- name: pack_text
SELECT text FROM packs WHERE name = $1 AND version = $2;

-- name: keep_pack
INSERT INTO packs (name, version, hash, text) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: next_version
-- Of an act that changes nothing in the ticket's row: the last entry's number stays its version.
UPDATE tickets SET version = version + 1 WHERE id = $1 RETURNING state;
