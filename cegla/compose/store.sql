-- name: letters
-- Every letter or snippet with its draft, the newest change first.
select letters.id, kind, name, letters.revision, newest, editor, letters.version, letters.changed_at, changed_by, document
from compose.letters join compose.edits on letter_id = letters.id and edits.revision = letters.revision
where kind = :kind order by letters.changed_at desc, letters.id desc;

-- name: letter^
-- One letter or snippet with its draft.
select letters.id, kind, name, letters.revision, newest, editor, letters.version, letters.changed_at, changed_by, document
from compose.letters join compose.edits on letter_id = letters.id and edits.revision = letters.revision
where letters.id = :id;

-- name: lock_letter^
-- Where the draft of a letter stands; nobody else changes it until this transaction ends.
select revision, newest, editor from compose.letters where id = :id for update;

-- name: add_letter$
-- Begin a letter or a snippet.
insert into compose.letters (kind, name, revision, newest, editor, made_at, changed_at, changed_by)
values (:kind, :name, 1, 1, '', :now, :now, :actor) returning id;

-- name: remove_letter!
-- Forget a letter with its edits and versions; campaigns keep what they were given.
delete from compose.letters where id = :id;

-- name: add_edit!
-- Keep an edit.
insert into compose.edits (letter_id, revision, document, made_at) values (:id, :revision, :document, :now);

-- name: drop_edits!
-- Forget edits that were taken back before this one was made, and those too old to go back to.
delete from compose.edits where letter_id = :id and (revision > :revision or revision <= :revision - cast(:kept as integer));

-- name: stand_at!
-- The draft of a letter stands at another edit.
update compose.letters
set revision = :revision, newest = :newest, editor = :editor, name = coalesce(cast(:name as text), name), changed_at = :now, changed_by = :actor
where id = :id;

-- name: edit_before$
-- The edit before one, where it is still kept.
select max(revision) from compose.edits where letter_id = :id and revision < :revision;

-- name: publish$
-- The number of a letter's next version.
update compose.letters set version = version + 1 where id = :id returning version;

-- name: add_version!
-- Keep a version for good.
insert into compose.versions (letter_id, version, document, made_at, made_by) values (:id, :version, :document, :now, :actor);

-- name: versions
-- The versions of a letter, newest first.
select version, document, made_at, made_by from compose.versions where letter_id = :id order by version desc;

-- name: newest_versions
-- The newest version of each snippet, as what uses it shows it.
select letters.id, letters.name, document from compose.letters
join compose.versions on letter_id = letters.id and versions.version = letters.version where kind = 'snippet';

-- name: users
-- The letters and snippets, other than itself, whose draft or newest version holds a snippet.
select letters.id, kind, name from compose.letters
join compose.edits on edits.letter_id = letters.id and edits.revision = letters.revision
left join compose.versions on versions.letter_id = letters.id and versions.version = letters.version
where letters.id <> :id and exists (
    select from jsonb_array_elements(edits.document -> 'blocks' || coalesce(versions.document -> 'blocks', '[]')) as block
    where block ->> 'kind' = 'snippet' and block -> 'fields' ->> 'snippet' = cast(:id as text)
) order by name;

-- name: uses
-- Which campaigns were given a letter, as which variant, in which version.
select campaign_id, variant, version from compose.uses where letter_id = :id order by campaign_id, variant;

-- name: use!
-- A campaign says what a letter says.
insert into compose.uses (campaign_id, variant, letter_id, version) values (:campaign_id, :variant, :letter_id, :version)
on conflict (campaign_id, variant) do update set letter_id = excluded.letter_id, version = excluded.version;

-- name: letters_of
-- The letters a campaign was given, by variant.
select variant, letter_id, name, uses.version from compose.uses join compose.letters on letters.id = letter_id where campaign_id = :campaign_id order by variant;

-- name: add_image!
-- Keep an image, once.
insert into compose.images (name, media_type, width, height, bytes, label, added_at, content)
values (:name, :media_type, :width, :height, :bytes, :label, :now, :content) on conflict (name) do nothing;

-- name: images
-- Every image, newest first, without its content.
select name, media_type, width, height, bytes, label, added_at from compose.images order by added_at desc, name limit 500;

-- name: drafts_mentioning
-- Which letters and snippets hold something that a pattern finds, in their draft or a version.
select distinct found.parts[1], letters.id, kind, letters.name
from compose.letters
join (
    select letter_id, document, edits.revision = letters.revision as counts from compose.edits join compose.letters on letters.id = letter_id
    union all select letter_id, document, true from compose.versions
) as said on letter_id = letters.id and counts, lateral regexp_matches(document::text, :pattern, 'g') as found (parts)
order by letters.name, letters.id;

-- name: hold_drafts!
-- Nobody keeps an edit or a version until this transaction ends; what is being kept is waited for.
lock table compose.edits, compose.versions in share mode;

-- name: hosted_among
-- Which of these images we host.
select name from compose.images where name = any(:names);

-- name: remove_image!
-- Forget an image.
delete from compose.images where name = :name;

-- name: image_facts^
-- What an image is, without its content.
select name, media_type, width, height, bytes, label, added_at from compose.images where name = :name;

-- name: image^
-- The content of an image.
select media_type, content from compose.images where name = :name;
