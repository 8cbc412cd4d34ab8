-- The caller's own answer to a follow-up may raise a doubt: who raised it is a person's id, or 'caller',
-- as with follow-ups. The code before this one reads and writes ids as text, too.
ALTER TABLE hotline.reply_doubts
    DROP CONSTRAINT reply_doubts_raised_by_fkey,
    ALTER COLUMN raised_by TYPE text USING raised_by::text;
