-- Every identity of a person, those held on browsers too: their own, and those that joined them, which alone are in the index of people.
create function resolve.identities_of(person bigint) returns setof resolve.identities language sql stable parallel safe as $$
    select * from resolve.identities where identity_id = person
    union all
    select * from resolve.identities where person_id = person and person_id <> identity_id
$$;
