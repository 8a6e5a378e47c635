-- Keys of accounts above that were told before they were normalized (cegla.vocabulary.identifiers): NFKC, without invisible signs, without space around them.
-- What is no key afterwards stays as it was told. Whose tree changes is looked at again in the next refresh.
with told as (
    select account_id, import_id, value #>> '{}' as raw,
        regexp_replace(
            regexp_replace(
                normalize(value #>> '{}', NFKC),
                '[\u00AD\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF]', '', 'g'
            ),
            '^[\s\u001C-\u001F\u0085\u1680\u2028\u2029]+|[\s\u001C-\u001F\u0085\u1680\u2028\u2029]+$', '', 'g'
        ) as key
    from account.traits where key = 'parent_id' and jsonb_typeof(value) = 'string'
), changed as (
    update account.traits t set value = to_jsonb(told.key)
    from told
    where t.key = 'parent_id' and t.account_id = told.account_id and t.import_id = told.import_id and told.key <> told.raw
        and length(told.key) between 1 and 500 and t.value #>> '{}' = told.raw
    returning t.account_id, told.key as parent
)
insert into account.touched (batch, account_id)
select 0, account_id from changed
union
select 0, a.account_id from changed join account.accounts a on a.key = changed.parent
on conflict do nothing;
