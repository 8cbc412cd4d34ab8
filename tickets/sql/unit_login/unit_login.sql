-- name: set_session
-- For this transaction alone: the database itself finds out whose it is.
SELECT set_config('hotline.session', $1, true);

-- name: caller_of_ticket
SELECT name, number FROM hotline.caller_of($1);

-- name: reveal_caller
SELECT name, number FROM hotline.reveal_caller($1, $2);
