-- The store of version 5: posted values no longer depend on callbacks, and each window counts the
-- records that could not be read.
alter table emitted drop column voice_of_callback;
alter table settled add column left_out_count bigint default 0;
