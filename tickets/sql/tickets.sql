-- name: lock_call
-- One confirmation of a call at a time; needs no privilege and ends with the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('ticket of call ' || $1, 0));

-- name: ticket_of_call
-- Its ordinary one: what is locked away stands beside it.
SELECT id, number, call_id, channel, type, topic, title, content, demand, place, occurred,
       urgency, caller_name, caller_number, contact_number, wants_reply, confidential, state,
       created_by, created_at, entered_at, version
FROM tickets WHERE call_id = $1 AND lane = 'ordinary';

-- name: ticket_by_number
SELECT id, number, call_id, channel, type, topic, title, content, demand, place, occurred,
       urgency, caller_name, caller_number, contact_number, wants_reply, confidential, state,
       created_by, created_at, entered_at, version
FROM tickets WHERE number = $1;

-- name: draft_of_call
SELECT version, machine, agent FROM drafts WHERE call_id = $1;

-- name: next_number_of_day
-- The row stays locked until the commit: no hole, no double.
INSERT INTO ticket_days AS days (day, last_number) VALUES ($1, 1)
ON CONFLICT (day) DO UPDATE SET last_number = days.last_number + 1
RETURNING last_number;

-- name: unknown_units
-- Of these, who never was a unit.
SELECT code FROM unnest($1::text[]) code WHERE NOT EXISTS (SELECT FROM units WHERE id = code);

-- name: person_of_staff
SELECT id FROM users WHERE username = $1;

-- name: insert_ticket
INSERT INTO tickets (
    id, number, call_id, channel, message, type, topic, domain, region, title, content, demand,
    place, occurred, urgency, matter, lane, staff, caller_name, caller_number, contact_number,
    wants_reply, confidential, is_reachable, is_truth_notice_given, accused_units, accused_people,
    recused_users, former, contact, state, draft, created_by, created_at, pack_name, pack_version, pack_hash)
SELECT id, number, call_id, channel, message, type, topic, domain, region, title, content, demand,
    place, occurred, urgency, matter, lane, staff, caller_name, caller_number, contact_number,
    wants_reply, confidential, is_reachable, is_truth_notice_given, accused_units, accused_people,
    recused_users, former, contact, state, draft, created_by, created_at, pack_name, pack_version, pack_hash
FROM jsonb_populate_record(NULL::tickets, $1)
RETURNING id, number, call_id, channel, type, topic, title, content, demand, place, occurred,
       urgency, caller_name, caller_number, contact_number, wants_reply, confidential, state,
       created_by, created_at, entered_at, version;

-- name: insert_corrections
INSERT INTO ticket_corrections (ticket_id, field, machine_value, final_value, evidence)
SELECT $1, c.field, c.machine_value, c.final_value, c.evidence
FROM jsonb_to_recordset($2) AS c (field text, machine_value text, final_value text, evidence jsonb);

-- name: mark_draft_confirmed
UPDATE drafts SET confirmed_at = $2 WHERE call_id = $1 AND confirmed_at IS NULL;

-- name: corrections_of_ticket
SELECT field, machine_value, final_value, evidence
FROM ticket_corrections WHERE ticket_id = $1 ORDER BY field;

-- name: draft_of_ticket
SELECT draft FROM tickets WHERE id = $1;

-- name: former_tickets
SELECT number, title, type, state, created_at
FROM tickets WHERE caller_number = $1 AND caller_number <> ''
ORDER BY created_at DESC LIMIT $2;
