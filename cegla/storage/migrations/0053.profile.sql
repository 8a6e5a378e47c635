-- Who is a child, however the day of birth is written: no analyser looks at people under 16.

-- The last day that somebody can be born on by a declared birthday or year of birth (2014-05-01, 2014/5/1, 1.05.2014, 2014); null when it says none.
-- As text, because a day that no calendar has must not fail; of a year or a month alone the end counts.
create function profile.born_by(value jsonb) returns text language sql immutable parallel safe as $$
    select case
        when said ~ '^\d{4}-\d{1,2}-\d{1,2}(\D|$)' then
            left(said, 4) || '-' || lpad(split_part(said, '-', 2), 2, '0') || '-' || lpad(substring(split_part(said, '-', 3) from '^\d+'), 2, '0')
        when said ~ '^\d{1,2}-\d{1,2}-\d{4}(\D|$)' then
            left(split_part(said, '-', 3), 4) || '-' || lpad(split_part(said, '-', 2), 2, '0') || '-' || lpad(split_part(said, '-', 1), 2, '0')
        when said ~ '^\d{4}(-\d{1,2})?$' then said || '-99'
    end
    from (select regexp_replace(left(trim(value #>> '{}'), 40), '[./ ]', '-', 'g') as said) as told
$$;

create index on profile.declared (profile.born_by(value))
where lower(replace(key, '_', '')) in ('birthday', 'birthdate', 'dateofbirth', 'dob', 'birthyear', 'yearofbirth', 'dataurodzenia', 'rokurodzenia');
