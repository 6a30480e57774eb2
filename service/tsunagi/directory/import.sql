-- The import's statements, in the order in which they run. `listed` holds the rows of the files, `known` what is
-- known of the services they list; `actions.py` runs the steps and says where each group begins.

-- name: forget
DROP TABLE IF EXISTS listed, known, chosen_bodies

-- name: stage
CREATE TEMPORARY TABLE listed (
    nth integer PRIMARY KEY, new_id uuid, kind text, service_code text, office_number text, is_number boolean,
    number_doubtful boolean, wam_number text, name text, name_kana text, prefecture_code text,
    municipality_code text, city_code text, municipality_name text, address_rest text, phone text, url text,
    match_name text, match_address text, search_text text, search_bigrams text[], doubts text[],
    corporate_number text, valid_corporate_number text, corporation_name text, corporation_kana text,
    corporation_prefecture text, corporation_address text, corporation_match_name text,
    corporate_body_id uuid, organization_id uuid, serial integer, outcome text
) ON COMMIT DROP

-- name: prepare
CREATE TEMPORARY TABLE known (
    organization_id uuid PRIMARY KEY, service_code text, office_number text, serial integer, wam_number text,
    match_name text, match_address text, corporate_body_id uuid, status text, from_list boolean,
    matched boolean NOT NULL DEFAULT false
) ON COMMIT DROP

-- name: know
-- From earlier lists, or entered by hand with a number.
INSERT INTO known
SELECT o.id, l.service_code, l.office_number, l.serial, l.wam_number, l.match_name, l.match_address,
    o.corporate_body_id, o.status, true
FROM directory_listings l JOIN organizations o ON o.id = l.organization_id
WHERE l.service_code = ANY(:rows_services)
UNION ALL
SELECT DISTINCT ON (o.id) o.id, i.service_code, i.value, coalesce(i.serial, 1), NULL, NULL, NULL,
    o.corporate_body_id, o.status, false
FROM organization_identifiers i JOIN organizations o ON o.id = i.organization_id
WHERE i.system = 'office_number' AND i.valid_to IS NULL AND i.service_code = ANY(:rows_services)
    AND NOT EXISTS (SELECT FROM directory_listings l WHERE l.organization_id = o.id)

-- name: analyze_listed
ANALYZE listed

-- name: analyze_known
ANALYZE known

-- name: choose_bodies
-- A corporate body is its valid number. Of several spellings the most frequent is the name.
CREATE TEMPORARY TABLE chosen_bodies ON COMMIT DROP AS
SELECT DISTINCT ON (valid_corporate_number) * FROM (
    SELECT *, count(*) OVER (PARTITION BY valid_corporate_number, corporation_name) AS times
    FROM listed WHERE valid_corporate_number IS NOT NULL AND corporation_name IS NOT NULL
) spelled
ORDER BY valid_corporate_number, times DESC, nth

-- name: add_numbered_bodies
INSERT INTO corporate_bodies (id, corporate_number, name, name_kana, prefecture_code, address, match_name)
SELECT gen_random_uuid(), valid_corporate_number, corporation_name, corporation_kana, corporation_prefecture,
    corporation_address, corporation_match_name
FROM chosen_bodies
ON CONFLICT (corporate_number) DO NOTHING

-- name: rename_bodies
-- Another name only when no office bears the old one any more, so that spellings do not take turns.
UPDATE corporate_bodies b SET name = c.corporation_name, name_kana = c.corporation_kana,
    match_name = c.corporation_match_name, prefecture_code = c.corporation_prefecture,
    address = c.corporation_address
FROM chosen_bodies c
WHERE c.valid_corporate_number = b.corporate_number
    AND NOT EXISTS (
        SELECT FROM listed l
        WHERE l.valid_corporate_number = b.corporate_number AND l.corporation_name = b.name)
    AND NOT EXISTS (
        SELECT FROM directory_listings l JOIN organizations o ON o.id = l.organization_id
        WHERE o.corporate_body_id = b.id AND o.status = 'active' AND l.corporation_name = b.name
            AND l.service_code <> ALL(:services))

-- name: attach_numbered_bodies
UPDATE listed l SET corporate_body_id = b.id
FROM corporate_bodies b WHERE b.corporate_number = l.valid_corporate_number

-- name: attach_namesakes
-- Without a valid number: the one numbered body of this name and prefecture, if there is just one.
UPDATE listed l SET corporate_body_id = b.id
FROM (
    SELECT match_name, prefecture_code, (array_agg(id))[1] AS id FROM corporate_bodies
    WHERE corporate_number IS NOT NULL GROUP BY match_name, prefecture_code HAVING count(*) = 1
) b
WHERE l.corporate_body_id IS NULL AND b.match_name = l.corporation_match_name
    AND b.prefecture_code IS NOT DISTINCT FROM l.corporation_prefecture

-- name: add_unnumbered_bodies
INSERT INTO corporate_bodies (id, name, name_kana, prefecture_code, address, match_name)
SELECT DISTINCT ON (corporation_match_name, corporation_prefecture) gen_random_uuid(), corporation_name,
    corporation_kana, corporation_prefecture, corporation_address, corporation_match_name
FROM listed WHERE corporate_body_id IS NULL AND corporation_name IS NOT NULL
ORDER BY corporation_match_name, corporation_prefecture, nth
ON CONFLICT (match_name, prefecture_code) WHERE corporate_number IS NULL DO NOTHING

-- name: attach_unnumbered_bodies
UPDATE listed l SET corporate_body_id = b.id
FROM corporate_bodies b
WHERE l.corporate_body_id IS NULL AND b.corporate_number IS NULL AND b.match_name = l.corporation_match_name
    AND b.prefecture_code IS NOT DISTINCT FROM l.corporation_prefecture

-- name: match
-- Rows and organizations that agree in the keys become one, first with first and second with second.
WITH rows AS (
    SELECT nth, {keys}, row_number() OVER (PARTITION BY {keys} ORDER BY nth) AS place
    FROM listed WHERE organization_id IS NULL AND office_number <> ''
), offices AS (
    SELECT organization_id, {keys},
        row_number() OVER (PARTITION BY {keys} ORDER BY status, serial, organization_id) AS place
    FROM known WHERE NOT matched
), pairs AS (
    SELECT nth, organization_id FROM rows JOIN offices USING ({keys}, place)
), taken AS (
    UPDATE known k SET matched = true FROM pairs p WHERE k.organization_id = p.organization_id
)
UPDATE listed l SET organization_id = p.organization_id FROM pairs p WHERE l.nth = p.nth

-- name: match_renumbered
-- An organization whose number vanished is found under one that nobody had.
WITH rows AS (
    SELECT nth, {keys}, row_number() OVER (PARTITION BY {keys} ORDER BY nth) AS place
    FROM listed l WHERE organization_id IS NULL AND NOT EXISTS (
        SELECT FROM known k WHERE (k.service_code, k.office_number) = (l.service_code, l.office_number)
            AND l.office_number <> '')
), offices AS (
    SELECT organization_id, {keys},
        row_number() OVER (PARTITION BY {keys} ORDER BY serial, organization_id) AS place
    FROM known k WHERE NOT matched AND from_list AND status = 'active' AND NOT EXISTS (
        SELECT FROM listed l WHERE (l.service_code, l.office_number) = (k.service_code, k.office_number)
            AND k.office_number <> '')
), pairs AS (
    SELECT nth, organization_id FROM rows JOIN offices USING ({keys}, place)
), taken AS (
    UPDATE known k SET matched = true FROM pairs p WHERE k.organization_id = p.organization_id
)
UPDATE listed l SET organization_id = p.organization_id FROM pairs p WHERE l.nth = p.nth

-- name: keep_serials
UPDATE listed l SET serial = k.serial
FROM known k WHERE k.organization_id = l.organization_id AND k.office_number = l.office_number

-- name: give_serials
-- A serial is never given twice, also not after its office closed or changed its number.
UPDATE listed l SET serial = given.serial
FROM (
    SELECT nth, coalesce(top, 0)
        + row_number() OVER (PARTITION BY service_code, office_number ORDER BY nth) AS serial
    FROM listed LEFT JOIN (
        SELECT service_code, office_number, max(serial) AS top FROM (
            SELECT service_code, office_number, serial FROM known
            UNION ALL
            SELECT service_code, value, serial FROM organization_identifiers WHERE system = 'office_number'
        ) ever GROUP BY service_code, office_number
    ) taken USING (service_code, office_number)
    WHERE serial IS NULL
) given
WHERE given.nth = l.nth

-- name: mark_created
UPDATE listed SET outcome = 'created', organization_id = new_id WHERE organization_id IS NULL

-- name: mark_others
-- `renewed`: something that history keeps is different; `corrected`: only how to reach it, or how it is found.
UPDATE listed l SET outcome = CASE
    WHEN (o.name, o.name_kana, o.corporate_body_id, o.prefecture_code, o.municipality_code, o.municipality_name,
            o.address_rest, o.status, k.corporation_name, k.office_number)
        IS DISTINCT FROM (l.name, l.name_kana, l.corporate_body_id, l.prefecture_code, l.municipality_code,
            l.municipality_name, l.address_rest, 'active', l.corporation_name, l.office_number) THEN 'renewed'
    WHEN (o.phone, o.url, o.city_code, k.corporate_number)
        IS DISTINCT FROM (l.phone, l.url, l.city_code, l.corporate_number) THEN 'corrected'
    ELSE 'unchanged' END
FROM organizations o LEFT JOIN directory_listings k ON k.organization_id = o.id
WHERE o.id = l.organization_id AND l.outcome IS NULL

-- name: count
SELECT count(*) AS rows, count(*) FILTER (WHERE outcome = 'created') AS created,
    count(*) FILTER (WHERE outcome IN ('renewed', 'corrected')) AS updated,
    (SELECT count(*) FROM known
        WHERE from_list AND status = 'active' AND NOT matched AND service_code = ANY(:services)) AS closed,
    count(*) FILTER (WHERE outcome = 'unchanged') AS unchanged
FROM listed

-- name: add_organizations
INSERT INTO organizations (id, kind, name, name_kana, corporate_body_id, prefecture_code, municipality_code,
    city_code, municipality_name, address_rest, phone, url, status, search_text, search_bigrams)
SELECT organization_id, kind, name, name_kana, corporate_body_id, prefecture_code, municipality_code, city_code,
    municipality_name, address_rest, phone, url, 'active', search_text, search_bigrams
FROM listed WHERE outcome = 'created' ORDER BY nth

-- name: change_organizations
UPDATE organizations o SET name = l.name, name_kana = l.name_kana, corporate_body_id = l.corporate_body_id,
    prefecture_code = l.prefecture_code, municipality_code = l.municipality_code, city_code = l.city_code,
    municipality_name = l.municipality_name, address_rest = l.address_rest, phone = l.phone, url = l.url,
    status = 'active', closed_on = NULL, successor_id = NULL, search_text = l.search_text,
    search_bigrams = l.search_bigrams
FROM listed l WHERE l.organization_id = o.id AND l.outcome IN ('renewed', 'corrected')

-- name: close_organizations
UPDATE organizations o SET status = 'closed', closed_on = :release
FROM known k
WHERE k.organization_id = o.id AND k.from_list AND k.status = 'active' AND NOT k.matched
    AND k.service_code = ANY(:services)

-- name: end_numbers
UPDATE organization_identifiers i SET valid_to = :release
FROM listed l
WHERE l.organization_id = i.organization_id AND i.system = 'office_number' AND i.valid_to IS NULL
    AND i.service_code = l.service_code AND i.value <> l.office_number

-- name: add_numbers
INSERT INTO organization_identifiers (
    id, organization_id, system, value, service_code, serial, doubtful, valid_from)
SELECT gen_random_uuid(), l.organization_id, 'office_number', l.office_number, l.service_code, l.serial,
    l.number_doubtful, CASE WHEN l.outcome <> 'created' THEN CAST(:release AS date) END
FROM listed l WHERE l.is_number AND NOT EXISTS (
    SELECT FROM organization_identifiers i
    WHERE i.organization_id = l.organization_id AND i.system = 'office_number' AND i.valid_to IS NULL
        AND i.service_code = l.service_code AND i.value = l.office_number)
ORDER BY l.nth

-- name: remember
-- How each row stands in the list, for the next import.
INSERT INTO directory_listings AS d (organization_id, service_code, office_number, serial, wam_number,
    corporate_number, corporation_name, match_name, match_address, doubts)
SELECT organization_id, service_code, office_number, serial, wam_number, corporate_number, corporation_name,
    match_name, match_address, doubts
FROM listed
ON CONFLICT (organization_id) DO UPDATE SET office_number = excluded.office_number, serial = excluded.serial,
    wam_number = excluded.wam_number, corporate_number = excluded.corporate_number,
    corporation_name = excluded.corporation_name, match_name = excluded.match_name,
    match_address = excluded.match_address, doubts = excluded.doubts
WHERE d IS DISTINCT FROM excluded

-- name: changed
SELECT organization_id FROM listed WHERE outcome IN ('created', 'renewed')
UNION ALL
SELECT k.organization_id FROM known k JOIN organizations o ON o.id = k.organization_id
WHERE k.status = 'active' AND o.status = 'closed'
