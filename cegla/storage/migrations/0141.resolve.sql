-- Links with both their ends, in the order of the fields of Edge.
create view resolve.edges_with_ends as
select e.edge_id, e.strong_id, s.type as strong_type, s.value as strong_value, e.weak_id, w.type as weak_type, w.value as weak_value,
    s.person_id as strong_person, w.person_id as weak_person, e.rule, e.trusted, e.at, e.source_id, e.message_id, e.refused, e.retracted_at, e.retracted_by, e.retracted_why
from resolve.edges e
join resolve.identities s on s.identity_id = e.strong_id
join resolve.identities w on w.identity_id = e.weak_id;
