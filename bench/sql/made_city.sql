-- name: insert_person
INSERT INTO users (id, username, display_name, role, unit, password_hash)
VALUES ($1, $2, $2, $3, $4, 'none');

-- name: insert_session
INSERT INTO sessions (token_hash, user_id, expires_at) VALUES ($1, $2, $3);

-- name: make_list
CREATE UNLOGGED TABLE made_list (
    n integer PRIMARY KEY, id uuid, number text, pattern uuid, unit text, title text, caller text,
    at timestamptz);

-- name: fill_list
-- Every ticket to make: a thousand days of them up to the day before $4, the newest last; a few units
-- have many, most have few; one title in two hundred is rare.
INSERT INTO made_list
SELECT n, md5('ticket' || n)::uuid, to_char(day, 'YYYYMMDD') || '-' || lpad(nth::text, 6, '0'),
    ($1::uuid[])[width_bucket(n - 1, $2::integer[]) + 1],
    'city.u' || lpad(floor($5 * power(hash / 1e6, 3))::text, 3, '0'),
    (ARRAY['历下区', '市中区', '槐荫区', '天桥区', '历城区', '长清区'])[1 + hash % 6]
        || (ARRAY['经十路', '解放路', '泉城路', '文化东路', '北园大街', '工业南路', '二环东路',
            '花园路', '山大路', '济洛路'])[1 + hash / 7 % 10] || hash % 997 || '号'
        || CASE WHEN hash % 200 = 0 THEN '窨井盖缺失' ELSE
            (ARRAY['停水', '停电', '路灯不亮', '垃圾未清运', '噪声扰民', '暖气不热', '占道经营',
                '违章搭建', '公交晚点', '物业收费不明', '拖欠工资', '污水外溢', '道路破损',
                '电梯故障', '燃气泄漏', '树木倒伏'])[1 + hash / 11 % 16] END,
    '138' || lpad((hash * 83 % 100000000)::text, 8, '0'),
    $4::timestamptz - (1001 - (day - first)) * interval '1 day' + nth * interval '1 second'
FROM (SELECT n, first, first + (n - 1) / per_day AS day, (n - 1) % per_day + 1 AS nth,
        (('x' || substr(md5('hash' || n), 1, 6))::bit(24)::bigint * 1000000 >> 24) AS hash
    FROM (SELECT ($4::timestamptz)::date - 1001 AS first, $3 / 1000 + 1 AS per_day) days,
        generate_series(1, $3::integer) n) each;

-- name: fill_words
-- By hand what a trigger does, since the copying fires none.
INSERT INTO ticket_words SELECT number, hotline.pairs_of(title) FROM made_list;

-- name: indexes_of_ledger
SELECT indexname, indexdef FROM pg_indexes
WHERE schemaname = 'hotline' AND tablename = 'ledger' AND indexname <> 'ledger_pkey';

-- name: columns_of
SELECT attname FROM pg_attribute
WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    AND attidentity = ''
ORDER BY attnum;
