-- When something of people was taken back last is asked at each page that keeps answers about everybody (govern.retention.newest_erasure).
create index audit_taken_back on govern.audit (number) where action in ('person.erase', 'import.undone');
