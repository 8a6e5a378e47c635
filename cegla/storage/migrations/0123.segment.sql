-- PostgreSQL checks a reference row by row, which was two fifths of what writing down who entered and left cost. The numbers of segments come out
-- of the same transaction, so what is left of the reference is its other end: with a segment go its stays and changes, all at once.
alter table segment.members drop constraint members_segment_id_fkey;
alter table segment.changes drop constraint changes_segment_id_fkey;
create function segment.forget_segments() returns trigger language plpgsql as $$
begin
    delete from segment.members m using gone where m.segment_id = gone.id;
    delete from segment.changes c using gone where c.segment_id = gone.id;
    return null;
end
$$;
create trigger forget_segments after delete on segment.segments referencing old table as gone
for each statement execute function segment.forget_segments();

-- Changes come in the order of time, and only the night asks for old ones.
drop index segment.changes_at_idx;
create index changes_by_time on segment.changes using brin (at);
