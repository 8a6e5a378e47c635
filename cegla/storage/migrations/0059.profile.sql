-- Whoever is due to an analyser is due once, however often it fails on them.

delete from profile.due older using profile.due newer
where older.id < newer.id and (older.analyser, older.after_person, older.upto_person) = (newer.analyser, newer.after_person, newer.upto_person);
create unique index on profile.due (analyser, after_person, upto_person);
