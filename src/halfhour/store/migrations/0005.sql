-- The store of version 5: what is posted is posted, whatever callback a call belongs to; and how
-- much of what was read had to be left out.
alter table emitted drop column voice_of_callback;
alter table settled add column left_out_count bigint default 0;
