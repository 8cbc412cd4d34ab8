-- A caller answers the follow-up themselves, by message (R070): who answered is a person's id, or
-- 'caller', as with ratings. The code before this one writes and reads ids as text, too.
ALTER TABLE hotline.follow_ups
    DROP CONSTRAINT follow_ups_by_fkey,
    ALTER COLUMN by TYPE text USING by::text;
