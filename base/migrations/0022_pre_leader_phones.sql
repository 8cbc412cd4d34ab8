-- A leader's own phone: it, and no other, rings when they listen in, join or take over. Like all of an
-- account it is changed by the owner alone (hotline user).

ALTER TABLE hotline.users ADD COLUMN phone text UNIQUE CHECK (phone ~ '^[0-9]{2,8}$');
ALTER TABLE hotline.users ADD CONSTRAINT users_phone_of_leaders
    CHECK (role = 'leader' OR phone IS NULL);
COMMENT ON COLUMN hotline.users.phone IS 'extension of a leader''s phone, one of leader_phones';
